import { MalformedError, Reader } from './reader.mjs';
import { Writer } from './writer.mjs';

export const SECTION = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
  data: 0x75,
  sequence: 0x76,
  value: 0x77,
  footer: 0x78,
};

/** Message format of a batch: data sections, each a complete encoded message. */
export const BATCH_FORMAT = 0x80013700;

const SYMBOLIC = {
  'amqp:header:list': 0x70,
  'amqp:delivery-annotations:map': 0x71,
  'amqp:message-annotations:map': 0x72,
  'amqp:properties:list': 0x73,
  'amqp:application-properties:map': 0x74,
  'amqp:data:binary': 0x75,
  'amqp:amqp-sequence:list': 0x76,
  'amqp:amqp-value:*': 0x77,
  'amqp:value:*': 0x77,
  'amqp:footer:map': 0x78,
};

/** Annotations that the broker writes itself. A sender's values for them are dropped. */
const BROKER_ANNOTATIONS = new Set([
  'x-opt-enqueued-time',
  'x-opt-sequence-number',
  'x-opt-enqueue-sequence-number',
  'x-opt-locked-until',
  'x-opt-deadletter-source',
  'x-opt-message-state',
  'x-opt-offset',
  'x-opt-partition-id',
]);

/** Walks the sections of an encoded message: the code, and where the section starts, its value starts, and it ends. */
function* sections(bytes) {
  const reader = new Reader(bytes);
  while (reader.more) {
    const start = reader.position;
    if (bytes[start] !== 0) throw new MalformedError('a message must consist of sections');
    reader.position = start + 1;
    const descriptor = reader.read();
    const code = typeof descriptor === 'string' ? SYMBOLIC[descriptor] : descriptor;
    if (!(code >= SECTION.header && code <= SECTION.footer)) {
      throw new MalformedError(`unknown message section ${String(descriptor)}`);
    }
    const valueStart = reader.position;
    reader.skip();
    yield { code, start, valueStart, end: reader.position };
  }
}

/** One message as it was sent: immutable, shared by every subscription that holds a copy. */
export class StoredMessage {
  /** @param {Buffer} bytes the encoded message, kept as it came */
  constructor(bytes) {
    this.bytes = bytes;
    /** Where properties, application properties and body begin: all that is passed on untouched. */
    this.bareStart = bytes.length;
    this.bodyStart = bytes.length;
    this.ttl = /** @type {number|undefined} */ (undefined);
    this.annotations = /** @type {Map<string, {key: Buffer, value: Buffer}>|undefined} */ (undefined);
    this.scheduledAt = /** @type {number|undefined} */ (undefined);
    this.partitionKey = /** @type {string|undefined} */ (undefined);
    /** How many entities hold it; bytes are counted once per entity. */
    this.copies = 0;
    this.#properties = [];
    this.#applicationStart = -1;
    let last = 0;
    for (const section of sections(bytes)) {
      if (section.code < last) throw new MalformedError('message sections are out of order');
      last = section.code;
      if (section.code >= SECTION.properties && this.bareStart > section.start) this.bareStart = section.start;
      if (section.code >= SECTION.data && this.bodyStart > section.start) this.bodyStart = section.start;
      this.#section(section);
    }
  }

  #properties;
  #applicationStart;
  #applicationSectionStart = -1;
  #propertiesStart = -1;

  #section({ code, start, valueStart }) {
    if (code === SECTION.header) {
      const ttl = asList(new Reader(this.bytes, valueStart).read())[2];
      if (typeof ttl === 'number') this.ttl = ttl;
    } else if (code === SECTION.messageAnnotations) {
      this.#annotate(new Reader(this.bytes, valueStart).rawPairs());
    } else if (code === SECTION.properties) {
      this.#propertiesStart = valueStart;
      this.#properties = asList(new Reader(this.bytes, valueStart).read());
    } else if (code === SECTION.applicationProperties) {
      this.#applicationSectionStart = start;
      this.#applicationStart = valueStart;
    }
  }

  #annotate(annotations) {
    for (const name of BROKER_ANNOTATIONS) annotations.delete(name);
    const scheduled = annotations.get('x-opt-scheduled-enqueue-time');
    if (scheduled) this.scheduledAt = asTime(new Reader(scheduled.value).read());
    const partitionKey = annotations.get('x-opt-partition-key');
    if (partitionKey) this.partitionKey = asText(new Reader(partitionKey.value).read());
    if (annotations.size > 0) this.annotations = annotations;
  }

  get size() {
    return this.bytes.length;
  }
  get messageId() {
    return asText(this.#properties[0]);
  }
  get to() {
    return asText(this.#properties[2]);
  }
  get subject() {
    return asText(this.#properties[3]);
  }
  get replyTo() {
    return asText(this.#properties[4]);
  }
  get correlationId() {
    return asText(this.#properties[5]);
  }
  get contentType() {
    return asText(this.#properties[6]);
  }
  get sessionId() {
    return asText(this.#properties[10]);
  }
  get replyToSessionId() {
    return asText(this.#properties[12]);
  }

  /** The application properties as a Map. They are read only when a filter asks. */
  get applicationProperties() {
    if (this.#applicationStart < 0) return new Map();
    return /** @type {Map<string, unknown>} */ (new Reader(this.bytes, this.#applicationStart).read());
  }

  /** The application properties section with some of them changed. */
  withChangedProperties(changes) {
    const properties =
      this.#applicationStart < 0 ? new Map() : new Reader(this.bytes, this.#applicationStart).rawPairs();
    const writer = new Writer().section(SECTION.applicationProperties);
    writer.map((w) => {
      let count = 0;
      for (const [name, { key, value }] of properties) {
        if (name in changes) continue;
        w.raw(key).raw(value);
        count += 2;
      }
      for (const [name, value] of Object.entries(changes)) {
        w.string(name).value(value);
        count += 2;
      }
      return count;
    });
    return writer.finish();
  }

  /** The same message with an id. The service gives one to messages that come without. */
  withMessageId(id) {
    const from = this.#propertiesStart;
    const reader = from < 0 ? undefined : new Reader(this.bytes, from);
    const items = reader?.rawItems() ?? [];
    const properties = new Writer()
      .section(SECTION.properties)
      .list((w) => {
        w.string(id);
        for (const item of items.slice(1)) w.raw(item);
        return Math.max(1, items.length);
      })
      .finish();
    return new StoredMessage(
      Buffer.concat([
        this.bytes.subarray(0, this.bareStart),
        properties,
        this.bytes.subarray(reader ? reader.position : this.bareStart),
      ]),
    );
  }

  /** The bare message, with application properties changed where asked. */
  bare(changes) {
    if (!changes) return this.bytes.subarray(this.bareStart);
    const changed = this.withChangedProperties(changes);
    const propertiesEnd = this.#applicationStart < 0 ? this.bodyStart : this.#applicationSectionStart;
    return Buffer.concat([
      this.bytes.subarray(this.bareStart, propertiesEnd),
      changed,
      this.bytes.subarray(this.bodyStart),
    ]);
  }
}

/** Takes a batch transfer apart. */
export function messagesOfBatch(payload) {
  const messages = [];
  for (const section of sections(payload)) {
    if (section.code !== SECTION.data) continue;
    const inner = new Reader(payload, section.valueStart).read();
    if (!Buffer.isBuffer(inner)) throw new MalformedError('a batch must consist of binary data sections');
    // copied, so that one message that stays does not keep its whole batch in memory
    messages.push(new StoredMessage(Buffer.from(inner)));
  }
  if (messages.length === 0) throw new MalformedError('a batch without messages');
  return messages;
}

function asList(value) {
  if (!Array.isArray(value)) throw new MalformedError('expected an AMQP list');
  return value;
}

function asText(value) {
  if (value === null || value === undefined) return undefined;
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}

function asTime(value) {
  const time = value instanceof Date ? value.getTime() : Number(value);
  if (!Number.isFinite(time)) throw new MalformedError('x-opt-scheduled-enqueue-time is not a time');
  return time;
}
