// Values at and just beyond every limit that the document names, made from the document itself. What its schema allows is
// not refused as a bad request, and what its schema forbids is: one rule, one definition.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const url = process.env.OUTPOST_URL;
const document = await (await fetch(new URL('/api/openapi.json', url))).json();
const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
ajv.addFormat('int64', true);
ajv.addSchema(document, 'openapi');

const resolve = (node) => (node?.$ref ? node.$ref.slice(2).split('/').reduce((at, name) => at[name], document) : node);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method })));

// What a document cannot say: the log of this test has one partition, four decimal places are no schema.
const UNSAID = new Set(['partition']);
const texts = (length) => ['a', 'ü', '😀'].map((character) => JSON.stringify(character.repeat(length)));

/** Raw JSON at and beyond the limits of a schema, and of other types. */
function literals(schema) {
  const { minimum = 0, maximum = 1_000_000, minLength = 0, maxLength = 20 } = schema;
  const type = [schema.type].flat()[0];
  const others = ['null', 'true', '{}', '[]', '""', '"1"', '0', '-1', '1.5'];
  // Beyond 2^53 this language cannot tell one number from the next.
  if (type === 'integer') return [minimum, maximum, minimum - 1, maximum + 1].filter(Number.isSafeInteger).map(String).concat('1.0', '1e0', '10e-1', '-0', '1e400', '99999999999999999999', others);
  if (type === 'number') return [minimum, maximum, maximum + 1].map(String).concat('-0.01', '1.0', '1e3', '1E-2', '0.0001', '-0', '1e400', others);
  if (type === 'string') {
    const limits = [minLength, maxLength, maxLength + 1, schema.pattern?.includes('{1,100}') ? 100 : 1, schema.pattern?.includes('{1,100}') ? 101 : 2];
    return limits.filter((length) => length > 0).flatMap(texts).concat('"a\\u0000b"', '"a\\u007fb"', '"a\\u0085b"', '"a b"', '"\\ud800"', '"."', '".."', '"..."', '"a/b"', '"~"', others);
  }
  return others;
}

/** Each place in a body where a value may be put: the body's text before and after it. */
function places(schema, example) {
  const found = [];
  visit(resolve(schema), example, (value) => value, '');
  return found;

  function visit(at, value, wrap, path) {
    const { type, properties, items } = at;
    if (path && !UNSAID.has(path.split('.').at(-1))) found.push({ path, schema: at, text: (literal) => JSON.stringify(wrap('@@')).replace('"@@"', () => literal) });
    for (const [name, property] of Object.entries(properties ?? {}))
      visit(resolve(property), value?.[name] ?? null, (inner) => wrap({ ...value, [name]: inner }), path ? `${path}.${name}` : name);
    if (![type].flat().includes('array')) return;
    visit(resolve(items), value[0], (inner) => wrap([inner]), `${path}[0]`);
    for (const count of [at.minItems, at.maxItems, at.maxItems + 1, 0])
      found.push({ path, schema: {}, whole: JSON.stringify(wrap(Array(count).fill(value[0]))) });
  }
}

const EXAMPLES = {
  PlaceOrder: { customerId: 'c1', lines: [{ sku: 'a', quantity: 2, unitPrice: 9.5 }] },
  CancelOrder: { reason: 'r' },
  ReplayEntries: { partition: 0, fromOffset: 0, toOffset: 0, types: ['OrderPlaced'], subject: 'order/o-1' },
  PauseForwarder: { reason: 'r' },
  ResumeForwarder: { reason: 'r' },
  RetryAllParked: { reason: 'r', type: 'OrderPlaced', subject: 'order/o-1' },
  DiscardAllParked: { reason: 'r', type: 'OrderPlaced', subject: 'order/o-1' },
  SkipEntries: { partition: 0, toOffset: 1 },
  DiscardParked: { reason: 'r' },
};

for (const operation of operations.filter(({ requestBody }) => requestBody?.content?.['application/json'])) {
  const schema = operation.requestBody.content['application/json'].schema;
  const example = EXAMPLES[operation.operationId.replace(/^.*\//, '')];
  test(`The body of ${operation.operationId} is what the document says`, { skip: !example && 'it has no members' }, async () => {
    const pointer = `openapi#/paths/${operation.path.replaceAll('/', '~1')}/${operation.method}/requestBody/content/application~1json/schema`;
    const validate = ajv.compile({ $ref: pointer.replaceAll('{', '%7B').replaceAll('}', '%7D') });
    const path = operation.path.replace('{id}', 'none').replace('{name}', 'servicebus').replace('{partition}', '0').replace('{offset}', '0');
    const wrong = [];
    let [allowed, forbidden] = [0, 0];
    for (const place of places(schema, example)) {
      for (const text of place.whole ? [place.whole] : literals(place.schema).map(place.text)) {
        const isAllowed = validate(JSON.parse(text));
        const answer = await fetch(new URL(path, url), { method: operation.method.toUpperCase(), body: text, headers: { 'Content-Type': 'application/json' } });
        const problem = answer.status === 400 ? await answer.json() : null;
        // A range that is not in the log is a bad request for another reason.
        const isRefused = answer.status === 400 && !/the log has entries|must not be below/.test(problem.detail);
        if (isAllowed) allowed++; else forbidden++;
        if (isAllowed === isRefused) wrong.push(`${text.slice(0, 200)} is ${isAllowed ? 'allowed' : 'forbidden'} by the document: ${answer.status} ${problem?.detail ?? ''}`);
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(allowed > 5 && forbidden > 5, `${allowed} allowed, ${forbidden} forbidden`);
  });
}

for (const operation of operations.filter(({ method, operationId }) => method === 'get' && /ReadEvents|ReadParked|ReadFeed/.test(operationId))) {
  test(`The parameters of ${operation.operationId} are what the document says`, async () => {
    const wrong = [];
    for (const { name, in: where, schema } of operation.parameters.map(resolve)) {
      const integer = [schema, ...(schema.oneOf ?? [])].find(({ type }) => type === 'integer');
      if (where !== 'query' || UNSAID.has(name) || !integer) continue;
      const { minimum, maximum } = integer;
      const values = [minimum, maximum, minimum - 1, maximum && maximum + 1].filter((value) => value !== undefined).map(String);
      for (const value of values.concat('', '+1', ' 1', '1.0', '1e0', '0x1', '-0', '٣', 'nonsense', '99999999999999999999')) {
        const isAllowed = /^[0-9]+$/.test(value) && Number(value) >= minimum && (maximum === undefined || Number(value) <= maximum);
        const address = new URL(operation.path.replace('{name}', 'servicebus'), url);
        address.searchParams.set(name, value);
        const answer = await fetch(address);
        const problem = answer.status === 400 ? await answer.json() : null;
        if (problem?.type === '/api/problems/offset-beyond-head' || (isAllowed && Number(value) > Number.MAX_SAFE_INTEGER)) continue;
        if (isAllowed !== (answer.status !== 400)) wrong.push(`${name}=${value} is ${isAllowed ? 'allowed' : 'forbidden'} by the document: ${answer.status} ${problem?.detail ?? ''}`);
        if (problem && !problem.detail.includes(name)) wrong.push(`${name}=${value}: the detail does not name it: ${problem.detail}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}
