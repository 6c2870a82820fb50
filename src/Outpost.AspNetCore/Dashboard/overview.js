// The sentence at the top, the tiles and the table of partitions.

function showOverview(status) {
  const { tone, text, more } = status.isLimited ? { tone: 'calm', text: 'The log', more: '' } : headline(status);
  setText(byId('headline'), text);
  byId('headline').dataset.tone = tone;
  setText(byId('subline'), more);
  document.title = tone === 'bad' ? `⚠ ${text} · Outpost` : 'Outpost';
  keepChildren(byId('tiles'), tilesOf(status), ({ name }) => name, ({ name }) => {
    const value = h('dd');
    const tile = h('div', { class: 'tile' }, h('dt', {}, name), value);
    tile.update = (now) => {
      setText(value, now.value);
      tile.dataset.tone = now.tone ?? '';
    };
    return tile;
  });
}

function tilesOf(status) {
  const head = { name: 'Entries ever', value: number(sum(status.partitions, ({ headOffset }) => headOffset)) };
  const kept = { name: 'Kept', value: number(sum(status.partitions, (one) => one.headOffset - one.oldestOffset)) };
  if (status.isLimited) return [head, kept];
  const all = status.forwarders;
  const waiting = sum(all, backlogOf);
  const late = sum(all, (forwarder) => forwarder.late);
  const parked = sum(all, (forwarder) => forwarder.parked);
  return [
    head,
    { name: 'Committed', value: rate(rateAt(samples.length - 1, (sample) => sample.head) ?? 0) },
    { name: 'Waiting', value: number(waiting) },
    { name: 'Oldest waiting', value: waiting > 0 ? age(Math.max(...all.map(oldestOf))) : '–', tone: late > 0 ? 'bad' : '' },
    { name: 'Late', value: number(late), tone: late > 0 ? 'bad' : '' },
    { name: 'Parked', value: number(parked), tone: parked > 0 ? 'warn' : '' },
  ];
}

function showPartitions(status) {
  setText(byId('log'), status.log);
  keepChildren(byId('partition-rows'), status.partitions, ({ partition }) => partition, ({ partition }) => {
    const cells = Array.from({ length: 5 }, () => h('td', { class: 'n' }));
    const row = h('tr', {}, h('th', { scope: 'row' }, String(partition)), ...cells);
    row.update = (one) => {
      const waiting = Math.max(0, ...status.forwarders.map((forwarder) => standingIn(forwarder, partition)?.backlog ?? 0));
      const newest = one.headTimestamp ? `${age(Math.max(0, (lastStatus.at - new Date(one.headTimestamp)) / 1000))} ago` : '–';
      [number(one.oldestOffset), number(one.headOffset), number(one.headOffset - one.oldestOffset),
        lastStatus.isLimited ? '–' : number(waiting), newest].forEach((text, i) => setText(cells[i], text));
      cells[4].title = one.headTimestamp ?? '';
    };
    return row;
  });
}

const standingIn = (forwarder, partition) => forwarder.partitions.find((one) => one.partition === partition);
