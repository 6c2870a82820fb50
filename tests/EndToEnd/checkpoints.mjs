// Looks at a log's checkpoints again and again with the official client, and prints a JSON line whenever one changed,
// until standard input closes.
// node checkpoints.mjs --connection STRING [--table outpost] [--every-ms 50]
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { TableClient } from '@azure/data-tables';

const { values } = parseArgs({
  options: {
    connection: { type: 'string' },
    table: { type: 'string', default: 'outpost' },
    'every-ms': { type: 'string', default: '50' },
  },
});
const client = TableClient.fromConnectionString(values.connection, values.table, { allowInsecureConnection: true });
const seen = new Map();
let open = true;
process.stdin.resume().on('end', () => {
  open = false;
});
process.stdout.write('Watching\n');
while (open) {
  for await (const row of client.listEntities({ queryOptions: { filter: "RowKey ge 'c|' and RowKey lt 'c}'" } })) {
    const key = `${row.partitionKey} ${row.rowKey}`;
    if (row.rowKey.endsWith('|control') || seen.get(key) === row.etag) continue;
    seen.set(key, row.etag);
    process.stdout.write(`${JSON.stringify({
      // After it was read: what it says was true by then.
      at: new Date().toISOString(),
      partition: row.partitionKey,
      forwarder: row.rowKey.slice(2),
      next: Number(row.Next),
      epoch: Number(row.Epoch),
      write: Number(row.Write),
      owner: row.Owner,
    })}\n`);
  }
  await delay(Number(values['every-ms']));
}
