import rhea from 'rhea';
import { BrokerError, CONDITION } from '../conditions.mjs';
import { Entry } from '../entities/queue.mjs';
import {
  abandon,
  complete,
  consume,
  defer,
  deleteBatch,
  lockDeferred,
  reject,
  setSessionState,
} from '../entities/settlement.mjs';
import { encodeDelivery } from './delivery.mjs';
import { asRefusal } from './links.mjs';
import { StoredMessage } from './message.mjs';

const { types } = rhea;
const LONG = 0x81;
const TIMESTAMP = 0x83;
/** A reply of peeked messages ends once it is this large. */
const PEEK_BYTES_MAX = 4 * 1_048_576;
const PREFIX = 'com.microsoft:';
const STATUS = {
  [CONDITION.messageLockLost]: 410,
  [CONDITION.sessionLockLost]: 410,
  [CONDITION.messageNotFound]: 404,
  [CONDITION.notFound]: 404,
  [CONDITION.unauthorized]: 401,
  [CONDITION.tooLarge]: 413,
  [CONDITION.quota]: 403,
  [CONDITION.busy]: 503,
  [CONDITION.internal]: 500,
  [CONDITION.notImplemented]: 501,
};

/** Answers requests on `{path}/$management`. */
export function manage(services, path) {
  if (!services.broker.queues.has(path.toLowerCase())) services.broker.entity(path); // refuses the link if unknown
  return (request, connection) => {
    const { operation = '' } = request.application_properties ?? {};
    try {
      const perform = operation.startsWith(PREFIX) ? OPERATIONS[operation.slice(PREFIX.length)] : undefined;
      if (!perform) throw new BrokerError(CONDITION.notImplemented, `The operation '${operation}' is not supported.`);
      const result = perform(new Request(services, path, request.body, connection), request.body);
      return reply(result === NOTHING ? 204 : 200, 'OK', result === NOTHING ? undefined : result);
    } catch (error) {
      const { condition, message } = asRefusal(error);
      if (condition === CONDITION.internal) services.log(`${operation} on '${path}': ${error.stack}`);
      return reply(STATUS[condition] ?? 400, message, undefined, condition);
    }
  };
}

const NOTHING = Symbol('nothing found');

function reply(code, description, body, condition) {
  return {
    application_properties: {
      statusCode: types.wrap_int(code),
      statusDescription: description,
      ...(condition && { errorCondition: types.wrap_symbol(condition) }),
    },
    body: body ?? null,
  };
}

/** What every operation has in common. */
class Request {
  constructor({ broker, clock }, path, body, connection) {
    if (body === null || typeof body !== 'object' || Buffer.isBuffer(body)) throw lacking('a map as its body');
    this.broker = broker;
    this.path = path;
    this.body = body;
    this.connection = connection;
    this.now = clock();
  }

  list(name) {
    const value = this.body[name];
    if (Array.isArray(value)) return value;
    throw lacking(name);
  }

  number(name) {
    const value = this.body[name];
    if (typeof value === 'number') return value;
    throw lacking(name);
  }

  get queue() {
    return this.broker.queue(this.path);
  }

  /** The session named in the request, which the same client must hold. */
  get session() {
    const id = this.body['session-id'];
    const session = this.queue.sessions.get(id);
    if (session?.holder?.link.connection === this.connection && session.until > this.now) return session;
    throw new BrokerError(
      CONDITION.sessionLockLost,
      `The session '${id}' of '${this.path}' is not locked by this client.`,
    );
  }

  get tokens() {
    return this.list('lock-tokens').map((uuid) => uuid.toString('hex'));
  }
}

function lacking(what) {
  return new BrokerError(CONDITION.argument, `The request lacks ${what}.`);
}

const OPERATIONS = {
  'renew-lock': ({ queue, tokens, now }) => ({
    expirations: types.wrap_array(
      tokens.map((token) => queue.renew(token, now)),
      TIMESTAMP,
    ),
  }),

  'renew-session-lock': ({ session, now }) => ({ expiration: new Date(session.renew(now)) }),

  'get-session-state': ({ session }) => ({ 'session-state': session.state }),

  'set-session-state': ({ broker, session }, { 'session-state': state }) => {
    setSessionState(broker, session, Buffer.isBuffer(state) ? state : null);
  },

  'get-message-sessions': ({ queue }, { skip = 0, top = 100 }) => {
    const ids = [...queue.sessions.keys()].slice(skip, skip + top);
    return ids.length === 0 ? NOTHING : { skip: types.wrap_int(skip + ids.length), 'sessions-ids': ids };
  },

  'peek-message': (request, { 'session-id': sessionId }) => {
    const from = request.number('from-sequence-number');
    const count = request.number('message-count');
    const messages = [];
    let bytes = 0;
    for (const [entry, state] of peeked(request, from, sessionId ?? undefined)) {
      if (messages.length >= count || bytes > PEEK_BYTES_MAX) break;
      const message = encodeDelivery(entry, { state, lockedUntil: entry.lock?.until });
      bytes += message.length;
      messages.push({ message });
    }
    return messages.length === 0 ? NOTHING : { messages };
  },

  'receive-by-sequence-number': (request, body) => {
    const { queue, broker, now } = request;
    const session = queue.requiresSession ? request.session : undefined;
    const messages = request.list('sequence-numbers').map((sequence) => {
      const entry = lockDeferred(queue, sequence, now, session);
      const { token, until } = entry.lock;
      return { entry, token, message: encodeDelivery(entry, { lockedUntil: until, state: 'deferred' }) };
    });
    const deletes = body['receiver-settle-mode'] === 0;
    if (deletes) for (const { entry } of messages) consume(broker, queue, entry);
    return {
      messages: messages.map(({ token, message }) => ({
        'lock-token': types.wrap_uuid(Buffer.from(token, 'hex')),
        message,
      })),
    };
  },

  'update-disposition': ({ broker, queue, tokens, now }, body) => {
    const changes = body['properties-to-modify'] ?? undefined;
    const rejection = { reason: body['deadletter-reason'], description: body['deadletter-description'], changes };
    for (const token of tokens) {
      switch (body['disposition-status']) {
        case 'completed':
          complete(broker, queue, token, now);
          break;
        case 'abandoned':
          abandon(broker, queue, token, now, changes);
          break;
        case 'defered':
          defer(broker, queue, token, now, changes);
          break;
        case 'suspended':
          reject(broker, queue, token, now, rejection);
          break;
        default:
          throw new BrokerError(CONDITION.argument, `disposition-status '${body['disposition-status']}' is not known.`);
      }
    }
  },

  'schedule-message': (request) => {
    const { broker, path, now } = request;
    const stored = request.list('messages').map(({ message }) => new StoredMessage(Buffer.from(message)));
    const sequences = broker.send(path, stored, now);
    return {
      'sequence-numbers': types.wrap_array(
        sequences.map((sequence) => sequence ?? 0),
        LONG,
      ),
    };
  },

  'cancel-scheduled-message': (request) => {
    request.broker.cancelScheduled(request.path, request.list('sequence-numbers'));
  },

  'batch-delete-messages': (request, { 'enqueued-time-utc': before }) => {
    const { broker, queue } = request;
    const deleted = deleteBatch(broker, queue, request.number('message-count'), Number(before ?? Infinity));
    return deleted === 0 ? NOTHING : { 'message-count': types.wrap_int(deleted) };
  },
};

/** The messages of a queue from a sequence number on, with its scheduled messages. */
function* peeked({ broker, queue, path }, from, sessionId) {
  const { entity } = queue.shared;
  const scheduled = entity.isQueue && !queue.isDeadLetter ? [...entity.scheduled] : [];
  const later = scheduled
    .filter(
      ([sequence, { message }]) => sequence >= from && (sessionId === undefined || message.sessionId === sessionId),
    )
    .sort(([a], [b]) => a - b);
  let next = later.shift();
  const upTo = function* upTo(limit) {
    for (; next && next[0] < limit; next = later.shift())
      yield [new Entry(next[0], next[1].message, next[1]), 'scheduled'];
  };
  for (const entry of broker.queue(path).from(from, sessionId)) {
    yield* upTo(entry.sequence);
    yield [entry, entry.state];
  }
  yield* upTo(Infinity);
}
