import { BrokerError, CONDITION } from './conditions.mjs';
import { SECTION, StoredMessage } from './amqp/message.mjs';
import { Writer } from './amqp/writer.mjs';

const scratch = new Writer(4096);
const BROKER_PROPERTIES = new Set([
  'MessageId',
  'SessionId',
  'PartitionKey',
  'Label',
  'ContentType',
  'CorrelationId',
  'ReplyTo',
  'ReplyToSessionId',
  'To',
  'TimeToLive',
  'ScheduledEnqueueTimeUtc',
]);
/** What a data section adds around a message in a batch: descriptor, format code, size. */
const SECTION_SHORT_BYTES = 5;
const SECTION_LONG_BYTES = 8;

/**
 * Reads the batch form of the HTTPS send.
 * @param {string} text the request body
 * @returns {{messages: StoredMessage[], bytes: number}} and how many bytes the same batch would have over AMQP
 */
export function readHttpBatch(text) {
  let items;
  try {
    items = JSON.parse(text);
  } catch (error) {
    throw malformed(`The body is not JSON: ${error.message}`);
  }
  if (!Array.isArray(items) || items.length === 0)
    throw malformed('The body must be a JSON array of at least one message.');
  let bytes = 0;
  const messages = items.map((item, index) => {
    try {
      const encoded = encode(item);
      bytes += encoded.length + (encoded.length < 256 ? SECTION_SHORT_BYTES : SECTION_LONG_BYTES);
      return new StoredMessage(encoded);
    } catch (error) {
      throw error instanceof BrokerError ? malformed(`Message ${index}: ${error.message}`) : error;
    }
  });
  return { messages, bytes };
}

/** The bytes the same message would have, had it been sent over AMQP. */
function encode(item) {
  if (item === null || typeof item !== 'object') throw malformed('not an object');
  const broker = item.BrokerProperties ?? {};
  const user = item.UserProperties ?? {};
  for (const name of Object.keys(broker)) {
    if (!BROKER_PROPERTIES.has(name)) throw malformed(`BrokerProperties.${name} is not known`);
  }
  const writer = scratch.reset();
  const ttl = milliseconds(broker.TimeToLive);
  if (ttl !== undefined) writer.section(SECTION.header).list((w) => w.null().null().uint(ttl) && 3);
  writeAnnotations(writer, broker);
  writeProperties(writer, broker, ttl);
  writeUserProperties(writer, user);
  return writer.section(SECTION.data).binary(bodyOf(item)).finish();
}

function writeAnnotations(writer, broker) {
  const partitionKey = text(broker, 'PartitionKey');
  const scheduled =
    broker.ScheduledEnqueueTimeUtc === undefined ? undefined : Date.parse(broker.ScheduledEnqueueTimeUtc);
  if (Number.isNaN(scheduled)) throw malformed('ScheduledEnqueueTimeUtc is not a time');
  if (partitionKey === undefined && scheduled === undefined) return;
  writer.section(SECTION.messageAnnotations).map((w) => {
    if (partitionKey !== undefined) w.symbol('x-opt-partition-key').string(partitionKey);
    if (scheduled !== undefined) w.symbol('x-opt-scheduled-enqueue-time').timestamp(scheduled);
    return 2 * ((partitionKey !== undefined) + (scheduled !== undefined));
  });
}

function writeProperties(writer, broker, ttl) {
  const fields = [
    text(broker, 'MessageId'),
    undefined,
    text(broker, 'To'),
    text(broker, 'Label'),
    text(broker, 'ReplyTo'),
    text(broker, 'CorrelationId'),
    text(broker, 'ContentType'),
    undefined,
    undefined,
    undefined,
    text(broker, 'SessionId'),
    undefined,
    text(broker, 'ReplyToSessionId'),
  ];
  let count = fields.length;
  while (count > 0 && fields[count - 1] === undefined) count -= 1;
  if (count === 0 && ttl === undefined) return;
  writer.section(SECTION.properties).list((w) => {
    for (let i = 0; i < count; i++) {
      if (fields[i] === undefined) w.null();
      else if (i === 6) w.symbol(fields[i]);
      else w.string(fields[i]);
    }
    return count;
  });
}

function writeUserProperties(writer, user) {
  const names = Object.keys(user);
  if (names.length === 0) return;
  writer.section(SECTION.applicationProperties).map((w) => {
    for (const name of names) {
      const value = user[name];
      if (!['string', 'number', 'boolean'].includes(typeof value)) {
        throw malformed(`UserProperties.${name} must be a string, a number or a boolean`);
      }
      w.string(name).value(value);
    }
    return 2 * names.length;
  });
}

function bodyOf({ Body: body = '', IsBodyBase64: isBase64 = false }) {
  if (typeof body !== 'string') throw malformed('Body must be text');
  return Buffer.from(body, isBase64 ? 'base64' : 'utf8');
}

function text(broker, name) {
  const value = broker[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw malformed(`BrokerProperties.${name} must be text`);
  return value;
}

function milliseconds(seconds) {
  if (seconds === undefined || seconds === null) return undefined;
  if (typeof seconds !== 'number' || !(seconds > 0))
    throw malformed('BrokerProperties.TimeToLive must be seconds above 0');
  return Math.min(Math.round(seconds * 1000), 0xffffffff);
}

function malformed(message) {
  return new BrokerError(CONDITION.argument, message);
}
