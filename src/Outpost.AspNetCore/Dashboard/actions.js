// The actions. Each first asks a question that says what will happen.

function askPause(name, pause, partition) {
  const where = partition === null ? '' : ` in partition ${partition}`;
  return ask({
    title: `${pause ? 'Pause' : 'Resume'} ${name}${where}?`,
    text: pause
      ? `Within a second it stops sending${where}. Commands and the event API go on. Events wait in the log, in order, until somebody resumes it, also after a restart of the app.`
      : `It goes on${where} where it stopped. Within a second it starts to send what waits, in order.`,
    verb: pause ? 'Pause' : 'Resume',
    fields: pause ? [{ label: 'Why? It is shown while the forwarder is paused', maxlength: 500, hint: 'may be left empty' }] : [],
    act: async (reason) => {
      await post(`forwarders/${part(name)}/${pause ? 'pause' : 'resume'}${partition === null ? '' : `?partition=${partition}`}`, reason?.trim() ? { reason: reason.trim() } : undefined);
      tell(`${name} is ${pause ? 'paused' : 'resumed'}${where}.`);
      lookNow();
    },
  });
}

function askReplay(name) {
  const partitions = lastStatus.partitions;
  if (partitions.length === 0) return tell('No partition can be read, so nothing can be replayed. Repair the damaged rows first.');
  const { partition, oldestOffset, headOffset } = partitions.length === 1 ? partitions[0] : partitions.find((one) => one.headOffset > 0) ?? partitions[0];
  const whole = { inputmode: 'numeric', pattern: '[0-9]+', required: true };
  return ask({
    title: `Replay to ${name}?`,
    text: 'The range is sent again, in order and marked as a replay, so the broker does not drop it as a repeat. Every subscriber gets it a second time. The checkpoint stays where it is.',
    verb: 'Replay',
    fields: [
      { label: 'Partition', value: String(partition), ...whole, hint: `0 to ${partitions.length - 1}` },
      { label: 'From offset', value: '', ...whole, hint: `the oldest of partition ${partition} is ${number(oldestOffset)}` },
      { label: 'To offset, inclusive', value: '', ...whole, hint: headOffset > 0 ? `the newest of partition ${partition} is ${number(headOffset - 1)}` : 'the log is empty' },
    ],
    act: async (...texts) => {
      const [inPartition, fromOffset, toOffset] = texts.map(Number);
      const answer = await post(`forwarders/${part(name)}/replay`, { partition: inPartition, fromOffset, toOffset });
      const { replay } = await answer.json();
      tell(`${counted(toOffset - fromOffset + 1, 'entry is', 'entries are')} being sent to ${name} again, marked as replay ${replay}.`);
      lookNow();
    },
  });
}

function askRetry(name, entry) {
  return ask({
    title: `Retry ${entry.type} at offset ${entry.offset}?`,
    text: `It is sent to ${name} again. If it is accepted, the events of “${entry.subject}” behind it follow in order; if not, it stays parked with the new reason.`,
    verb: 'Retry',
    act: async () => {
      await post(parkedPath(name, entry, 'retry'));
      parkedView.pollsToRead = POLLS_AFTER_ACTION;
      tell(`Entry ${entry.offset} of partition ${entry.partition} is being sent to ${name} again. If it is refused once more, it stays in the list.`);
      lookNow();
    },
  });
}

const filterOf = ({ reason }) => ({ reason });

function askRetryGroup(name, group) {
  return ask({
    title: `Retry ${counted(group.count, 'event')} of ${name}?`,
    text: `All that were refused for “${group.reason}” are sent again, in order${group.followers > 0 ? `, and then the ${counted(group.followers, 'event')} behind them` : ''}. Those that are refused once more stay parked with the new reason.`,
    verb: 'Retry',
    act: async () => {
      const { count } = await (await post(`forwarders/${part(name)}/parked/retry`, filterOf(group))).json();
      parkedView.pollsToRead = POLLS_AFTER_ACTION;
      tell(`${counted(count, 'event is', 'events are')} being sent to ${name} again.`);
      lookNow();
    },
  });
}

function askDiscardGroup(name, group) {
  return ask({
    title: `Discard ${counted(group.count, 'event')} of ${name}?`,
    text: `${name} will never deliver those that were refused for “${group.reason}”, and that cannot be taken back once it is done. They stay in the log and in the event API. ${group.followers > 0 ? `The ${counted(group.followers, 'event')} behind them are sent.` : ''}`,
    verb: 'Discard',
    dangerous: true,
    fields: [{ label: 'Why? It is kept in the history', required: true, maxlength: 500 }],
    act: async (why) => {
      const { count } = await (await post(`forwarders/${part(name)}/parked/discard`, { ...filterOf(group), why })).json();
      parkedView.pollsToRead = POLLS_AFTER_ACTION;
      tell(`${counted(count, 'event is', 'events are')} being discarded: ${name} goes on without them.`);
      lookNow();
    },
  });
}

function askTakeBack(name, id) {
  return ask({
    title: `Take back request ${id}?`,
    text: 'The part that is done stays done, and the rest is not carried out. You can ask for it again.',
    verb: 'Take back',
    act: async () => {
      await request(`forwarders/${part(name)}/requests/${part(id)}`, { method: 'DELETE' });
      tell(`Request ${id} is taken back.`);
      lookNow();
    },
  });
}

function askReplayEntry(entry) {
  const names = lastStatus.forwarders.map(({ name }) => name);
  return ask({
    title: `Replay ${entry.type} at offset ${entry.offset}?`,
    text: `It is sent again by itself, marked as a replay, so the broker does not drop it as a repeat. Subscribers get it a second time: that is how a consumer gets back what it gave up.`,
    verb: 'Replay',
    fields: [{ label: 'Forwarder', value: names.includes('servicebus') ? 'servicebus' : names[0] ?? '', required: true, hint: names.join(', ') }],
    act: async (name) => {
      const { replay } = await (await post(`forwarders/${part(name)}/replay`, { partition: entry.partition, fromOffset: entry.offset, toOffset: entry.offset })).json();
      tell(`Entry ${entry.offset} of partition ${entry.partition} is being sent to ${name} again, marked as replay ${replay}.`);
      lookNow();
    },
  });
}

function askDiscard(name, entry) {
  return ask({
    title: `Discard ${entry.type} at offset ${entry.offset}?`,
    text: `${name} will never deliver it, and that cannot be taken back. It stays in the log and in the event API. The events of “${entry.subject}” behind it are sent.`,
    verb: 'Discard',
    dangerous: true,
    fields: [{ label: 'Why? It is kept in the history, and goes into the app’s log', required: true, maxlength: 500 }],
    act: async (reason) => {
      await post(parkedPath(name, entry, 'discard'), { reason });
      tell(`Entry ${entry.offset} of partition ${entry.partition} is discarded: ${name} goes on without it.`);
      lookNow();
    },
  });
}

function askForget(name) {
  return ask({
    title: `Forget ${name}?`,
    text: 'Its checkpoint and its parked events are deleted, and it no longer keeps retention from deleting old entries. If an app with a forwarder of this name starts again, it begins from the start. This cannot be taken back.',
    verb: 'Forget',
    dangerous: true,
    act: async () => {
      await request(`forwarders/${part(name)}`, { method: 'DELETE' });
      tell(`${name} is forgotten.`);
      lookNow();
    },
  });
}

function askForKey(why) {
  return ask({
    title: 'Enter a key',
    text: `${why} In Azure it is on the portal’s page App keys: the master key for everything here, a host or function key for reading entries only. It is kept for this tab alone.`,
    verb: 'Use this key',
    cancel: key() ? 'Keep the current key' : 'Not now',
    fields: [{ label: 'Key', type: 'password', spellcheck: 'false', autocapitalize: 'off', hint: 'Leave it empty to use no key, and to forget the one before.' }],
    act: (typed) => {
      if (typed.trim() === '') sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, typed.trim());
      keyChanged();
    },
  });
}

const parkedPath = (name, { partition, offset }, verb) => `forwarders/${part(name)}/parked/${partition}/${offset}/${verb}`;
