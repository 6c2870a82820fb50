// What a run was and what it found, for people, as Markdown.
import { leftOut } from './faults.mjs';

const share = (values, of) => (values.length === 0 ? 0 : values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(of * values.length))]);

export function summary({ minutes, seed, values, clients, readers, feed, bus, faults, wrong, product, grown }) {
  const partitions = grown[0] === grown[1] ? `${grown[0]} partitions` : `${grown[0]} partitions, grown to ${grown[1]}`;
  const rows = [
    ['product', values.url ? 'by URL' : `${values.apps} processes, ${partitions}`],
    ['minutes, seed', `${minutes}, ${seed}`],
    ['commands answered', clients.answered.length],
    ['requests for them, unanswered, 503', `${clients.counts.sent}, ${clients.counts.unanswered}, ${clients.counts.unavailable}`],
    ['repeats long after, refused as they should be', `${clients.counts.replayed}, ${clients.counts.stale + clients.counts.conflicts}`],
    ['until answered: median, 99 %, longest', [0.5, 0.99, 1].map((of) => `${share(clients.waits, of)} ms`).join(', ')],
    ['events in the feed', feed.length],
    ['pages read, final ones, long polls cut off', `${readers.pages}, ${readers.finalPages}, ${readers.pollsCut}`],
    ['messages on the bus: all, orders', bus ? `${bus.received.all.length}, ${bus.received.orders.length}` : 'not looked at'],
    ...(product.tool ? ofTables(product) : []),
    ...Object.entries(faults).map(([name, count]) => [name, count]),
    ['faults in all', Object.values(faults).reduce((sum, count) => sum + count, 0)],
    ...(product.tool && leftOut.length > 0 ? [['left out', leftOut.join(', ')]] : []),
    ['wrong', wrong.length],
  ];
  const table = ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
  return `${table}\n${wrong.map((line) => `\n- ${line}`).join('')}\n`;
}

function ofTables({ counts, tool }) {
  const of = tool.counts;
  return [
    ['growing: done, killed halfway; starts refused meanwhile', `${of.grown}, ${of.killedGrowing}; ${counts.refusedStarts}`],
    ['backups: whole, killed halfway, ended by other faults', `${tool.backups.length}, ${of.killedBackups}, ${of.failedBackups}`],
    ['entries in the last one, restored and compared', tool.backups.at(-1)?.partitions.reduce((sum, { head }) => sum + head, 0) ?? 0],
    ['verified, in use and in the end', of.verified],
    ['writes refused for a full disk', counts.refusedWrites],
  ];
}
