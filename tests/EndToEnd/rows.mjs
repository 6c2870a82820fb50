// Reads a log's rows with the official client and prints one JSON line for each.
// node rows.mjs --connection STRING [--table outpost]
import { parseArgs } from 'node:util';
import { TableClient } from '@azure/data-tables';

const { values } = parseArgs({
  options: { connection: { type: 'string' }, table: { type: 'string', default: 'outpost' } },
});
const client = TableClient.fromConnectionString(values.connection, values.table, { allowInsecureConnection: true });
for await (const row of client.listEntities()) {
  process.stdout.write(`${JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? value.toString() : value))}\n`);
}
