import { createServer } from 'node:http';
import { BrokerError, CONDITION } from './conditions.mjs';
import { asRefusal } from './amqp/links.mjs';
import { ConfigError, entityDefinition } from './config.mjs';

const STATUS = {
  [CONDITION.notFound]: 404,
  [CONDITION.tooLarge]: 413,
  [CONDITION.internal]: 500,
  [CONDITION.notAllowed]: 409,
};
const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * The HTTP side, for what tests and tools need in addition to AMQP: entities and faults.
 * @param {object} services broker, faults, clock, log
 */
export function createHttp(services) {
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: 60_000 },
    (request, response) => {
      handle(request, response, services).catch((error) => answerError(response, error, services));
    },
  );
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

async function handle(request, response, services) {
  const [first, second, ...rest] = segments(request.url);
  const { method } = request;
  if (first === '$faults' && second && rest.length === 0) {
    if (method === 'PUT') return setFault(second, request, response, services);
    if (method === 'GET') return answer(response, 200, services.faults.describe(services.broker.entity(second).name));
  }
  if (first && second === undefined) {
    if (method === 'PUT') return putEntity(first, request, response, services);
    if (method === 'GET') return answer(response, 200, describe(services.broker.entity(first)));
    if (method === 'DELETE') {
      services.broker.delete(first);
      return answer(response, 200, {});
    }
  }
  return answer(response, 404, problem(CONDITION.notFound, `Nothing here: ${method} ${request.url}`));
}

/** @param {string} url a path with perhaps a query */
function segments(url) {
  try {
    return url.split('?')[0].slice(1).split('/').map(decodeURIComponent);
  } catch {
    throw new BrokerError(CONDITION.argument, `The path is not well-formed: ${url}`);
  }
}

async function putEntity(name, request, response, { broker }) {
  const item = readJson(await readBody(request));
  const created = broker.define(entityDefinition({ ...item, Name: name }));
  answer(response, created ? 201 : 200, describe(broker.entity(name)));
}

async function setFault(name, request, response, { broker, faults }) {
  faults.set(broker.entity(name).name, readJson(await readBody(request)));
  answer(response, 200, {});
}

function describe(entity) {
  const messages = {};
  for (const { queue } of entity.outlets.values()) {
    const name = entity.isQueue ? entity.name : queue.path.split('/').at(-1);
    messages[name] = { ...queue.counts, deadLettered: queue.deadLetter.entries.size };
  }
  const { maxMessageBytes } = entity.definition;
  return {
    name: entity.name,
    kind: entity.definition.kind,
    maxMessageSizeInBytes: maxMessageBytes,
    maxBatchSizeInBytes: maxMessageBytes,
    storedBytes: entity.bytes,
    scheduled: entity.scheduled.size,
    messages,
  };
}

/** Reads a body up to a bound. A larger body is refused before its end. */
function readBody(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let size = 0;
    const tooLarge = () => reject(new BrokerError(CONDITION.tooLarge, `The body exceeds ${BODY_BYTES_MAX} bytes.`));
    if (Number(request.headers['content-length']) > BODY_BYTES_MAX) return tooLarge();
    request.on('data', (chunk) => {
      size += chunk.length;
      if (size > BODY_BYTES_MAX) tooLarge();
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
    request.on('close', () => reject(new Error('the client went away')));
  });
}

function readJson(text) {
  try {
    const value = JSON.parse(text);
    if (value !== null && typeof value === 'object') return value;
  } catch {
    // the code below answers for it
  }
  throw new BrokerError(CONDITION.argument, 'The body must be a JSON object.');
}

function answerError(response, error, { log }) {
  if (response.headersSent || response.destroyed) return;
  const refusal = error instanceof ConfigError ? new BrokerError(CONDITION.argument, error.message) : asRefusal(error);
  if (refusal.condition === CONDITION.internal) log(`HTTP: ${error.stack}`);
  const status = STATUS[refusal.condition] ?? 400;
  // an unread body would be taken for the next request
  if (!response.req.complete) response.setHeader('Connection', 'close');
  answer(response, status, problem(refusal.condition, refusal.message));
}

function problem(code, message) {
  return { error: { code, message } };
}

function answer(response, status, body) {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    .end(text);
}
