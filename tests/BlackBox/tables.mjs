// The table from outside: sound by the tool's own judgement, and its last backup makes the same log again.
import { Readers } from './readers.mjs';
import * as verify from './verify.mjs';

const TABLE = 'restored';

/** What is wrong with the log's table and with what was restored from its last whole backup. */
export async function checkTables(product, readers, feed) {
  const { tool } = product;
  if (tool.backups.length === 0) {
    await tool.backup(new Map(readers.heads));
    await tool.copied;
  }

  const last = tool.backups.at(-1);
  if (!last) return ['no backup became whole'];
  const wrong = [...await tool.verifyNow(), ...await tool.restore(last, TABLE), ...await tool.verifyNow(TABLE)];
  if (wrong.length > 0) return wrong;
  const restored = new Readers([await product.startOn(TABLE, last.partitions.length)], readers.random);
  const entries = [];
  for (const { partition } of last.partitions) entries.push(...await restored.read(partition, 0, () => true));
  return [...restored.wrong, ...verify.backup(last, entries, feed)];
}
