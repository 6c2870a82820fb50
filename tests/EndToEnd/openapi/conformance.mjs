// What tools from outside say of the feed, asked of two processes over one log: the cache rules of http-cache-semantics
// and the CloudEvents SDK with its JSON schema. Rules and tests: docs/conformance.md.
// OUTPOST_URL=URL OUTPOST_OTHER_URL=URL node --test conformance.mjs
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import CachePolicy from 'http-cache-semantics';
import { HTTP } from 'cloudevents';

const isCloudEvent = createRequire(import.meta.url)('cloudevents/dist/schema/v1.js');
const { OUTPOST_URL: one, OUTPOST_OTHER_URL: other } = process.env;
const BATCH = 'application/cloudevents-batch+json';
const FINAL = '/api/events?offset=0&limit=5';
const LIVE = '/api/events?offset=0&limit=1000';
const ORDERS = 60;

async function get(base, path, headers = {}) {
  const request = { url: path, method: 'GET', headers: { ...headers, host: new URL(base).host } };
  const answer = await fetch(new URL(path, base), { headers });
  return { request, status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
}

async function place(base, orderId) {
  const body = JSON.stringify({ orderId, customerId: 'c1', lines: [{ sku: 'é 🚀 \u2028', quantity: 1, unitPrice: 1 }] });
  const answer = await fetch(new URL('/api/orders', base), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  assert.equal(answer.status, 201);
}

// By turns, so that each process has to read what the other wrote.
for (let i = 0; i < ORDERS; i += 1) await place(i % 2 ? one : other, `conformance-${i}`);

test('C1, C4: a final page has the same bytes, tag and cache rule on every instance, now and later', async () => {
  const pages = [await get(one, FINAL), await get(other, FINAL), await get(one, FINAL)];
  for (const page of pages) {
    assert.match(page.headers['cache-control'], /^private, max-age=86400, immutable$/);
    assert.deepEqual([page.text, page.headers.etag], [pages[0].text, pages[0].headers.etag]);
  }
});

test('C2, C4: a live page is revalidated, its tag is the same on every instance and changes when the head moves', async () => {
  const before = [await get(one, LIVE), await get(other, LIVE)];
  await place(one, 'one-more');
  const after = [await get(one, LIVE), await get(other, LIVE)];

  for (const pages of [before, after]) {
    assert.deepEqual([pages[0].text, pages[0].headers.etag], [pages[1].text, pages[1].headers.etag]);
    for (const page of pages) assert.equal(page.headers['cache-control'], 'private, no-cache');
  }
  assert.notEqual(before[0].headers.etag, after[0].headers.etag);
});

test('C3: a tag of one instance gives 304 on the other, with all that the 200 says', async () => {
  for (const path of [FINAL, LIVE]) {
    const page = await get(one, path);
    const again = await get(other, path, { 'If-None-Match': `"x", W/${page.headers.etag}` });
    assert.deepEqual([again.status, again.text], [304, '']);
    for (const name of ['etag', 'cache-control', 'vary', 'next-offset', 'link']) assert.equal(again.headers[name], page.headers[name]);
  }
});

test('C5, C6: no shared cache may keep a page; a private one keeps final pages, apart by Accept', async () => {
  for (const path of [FINAL, LIVE, '/api/partitions', '/api/status', '/api/events?offset=999999', '/api/orders/conformance-1']) {
    const { request, ...answer } = await get(one, path);
    assert.equal(new CachePolicy(request, answer, { shared: true }).storable(), false, path);
  }
  const final = await get(one, FINAL, { accept: 'application/json' });
  const policy = new CachePolicy(final.request, final, { shared: false });
  assert.ok(policy.storable() && policy.timeToLive() > 86_000_000);
  assert.ok(policy.satisfiesWithoutRevalidation(final.request));
  assert.ok(!policy.satisfiesWithoutRevalidation({ ...final.request, headers: { ...final.request.headers, accept: BATCH } }));
  assert.notEqual((await get(one, FINAL, { accept: BATCH })).headers.etag, final.headers.etag);
  const live = await get(one, LIVE);
  assert.ok(!new CachePolicy(live.request, live, { shared: false }).satisfiesWithoutRevalidation(live.request));
  const document = await get(one, '/api/openapi.json');
  assert.ok(new CachePolicy(document.request, document, { shared: true }).storable());
});

test('H3, H5, H6: HTTP Feeds is read to its end by ids as they are, and the CloudEvents SDK takes every event', async () => {
  const ids = [];
  for (let last = ''; ;) {
    const page = await get(one, `/api/feed?lastEventId=${last}`);
    assert.equal(page.headers['content-type'], BATCH);
    const batch = JSON.parse(page.text);
    for (const item of batch) {
      assert.ok(isCloudEvent(item), JSON.stringify(isCloudEvent.errors));
      const event = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify(item) });
      assert.ok(event.validate());
      ids.push(event.id);
    }
    if (batch.length === 0) break;
    assert.equal(HTTP.toEvent({ headers: page.headers, body: page.text }).length, batch.length);
    last = ids.at(-1);
  }
  const native = JSON.parse((await get(other, LIVE)).text).map((entry) => entry.id);
  assert.deepEqual(ids, native);
});

test('H4: a waiting reader is answered soon after another process commits, and one that does not wait at once', async () => {
  const { id } = JSON.parse((await get(one, LIVE)).text).at(-1);
  const start = performance.now();
  assert.equal((await get(one, `/api/feed?lastEventId=${id}`)).text, '[]');
  const waiting = get(one, `/api/feed?lastEventId=${id}&timeout=20000`);
  await place(other, 'awaited');
  const [event] = JSON.parse((await waiting).text);
  assert.equal(event.subject, 'order/awaited');
  assert.ok(performance.now() - start < 10_000);
});
