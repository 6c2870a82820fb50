import { SECTION } from './message.mjs';
import { Writer } from './writer.mjs';

const STATE = { active: 0, locked: 0, gone: 0, deferred: 1, scheduled: 2 };
const UINT_MAX = 0xffffffff;
const TICKS_AT_1970 = 621355968000000000n;
const scratch = new Writer(4096);

/**
 * The bytes of a message as a receiver gets it: the broker's header and annotations before what the sender wrote.
 * @param {import('../entities/queue.mjs').Entry} entry
 */
export function encodeDelivery(entry, { lockedUntil = undefined, state = entry.state } = {}) {
  const { message } = entry;
  const writer = scratch.reset();
  writeHeader(writer, entry);
  writer.section(SECTION.messageAnnotations).map((w) => {
    let count = 0;
    const put = (key) => {
      count += 2;
      return w.symbol(key);
    };
    for (const { key, value } of message.annotations?.values() ?? []) {
      w.raw(key).raw(value);
      count += 2;
    }
    put('x-opt-enqueued-time').timestamp(entry.enqueuedAt);
    put('x-opt-sequence-number').long(entry.sequence);
    put('x-opt-enqueue-sequence-number').long(entry.enqueuedSequence);
    if (lockedUntil !== undefined) put('x-opt-locked-until').timestamp(lockedUntil);
    if (entry.deadLetterSource) put('x-opt-deadletter-source').string(entry.deadLetterSource);
    if (STATE[state] !== 0) put('x-opt-message-state').int(STATE[state]);
    return count;
  });
  return writer.raw(message.bare(entry.changes)).finish();
}

function writeHeader(writer, { deliveryCount, expiresAt, enqueuedAt, message }) {
  const ttl = expiresAt === Infinity ? message.ttl : Math.min(expiresAt - enqueuedAt, UINT_MAX);
  writer.section(SECTION.header).list((w) => {
    w.null().null(); // durable, priority
    if (ttl === undefined) w.null();
    else w.uint(ttl);
    w.null().uint(deliveryCount);
    return 5;
  });
}

/** A lock token as the delivery tag carries it: a GUID in .NET's byte order. */
export function tagOfToken(token) {
  return swapGuid(Buffer.from(token, 'hex'));
}

/** @param {Buffer} bytes a UUID in network order @returns {Buffer} the same GUID in .NET's byte order, and back */
export function swapGuid(bytes) {
  const swapped = Buffer.from(bytes);
  swapped.subarray(0, 4).reverse();
  swapped.subarray(4, 6).reverse();
  swapped.subarray(6, 8).reverse();
  return swapped;
}

/** A time as .NET ticks, in the eight bytes of an AMQP long. */
export function ticksOf(milliseconds) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(milliseconds) * 10000n + TICKS_AT_1970);
  return bytes;
}
