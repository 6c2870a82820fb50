// Requests to the app. The key is kept for this tab only and goes in a header, never in an address.

const KEY = 'outpost-key';
const ANSWERS_WITHIN_MS = 20_000;

const key = () => sessionStorage.getItem(KEY);

class Unreachable extends Error {}

class ApiError extends Error {
  constructor(status, name, detail, body) {
    super(detail);
    Object.assign(this, { status, problem: name, detail, body });
  }

  get isAboutKey() {
    return this.status === 401 || this.status === 403;
  }
}

/** Returns the response; throws an ApiError with the problem's own words, or Unreachable. */
async function request(path, { method = 'GET', body, signal, withinMs = ANSWERS_WITHIN_MS } = {}) {
  const headers = { Accept: 'application/json' };
  if (key()) headers['x-functions-key'] = key();
  if (body) headers['Content-Type'] = 'application/json';
  const deadline = AbortSignal.timeout(withinMs);
  const response = await fetch(path, {
    method,
    headers,
    // The log at this address may be a new one. Then the pages that the browser kept are of another log, which the
    // entity tag shows.
    cache: 'no-cache',
    body: body && JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
  }).catch((error) => {
    throw error instanceof TypeError ? new Unreachable() : error;
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const name = String(problem.type ?? '').split('/').at(-1);
  throw new ApiError(response.status, name, String(problem.detail ?? plainWords(response.status)), problem);
}

function plainWords(status) {
  if (status === 401) return key() ? 'The app does not accept this key.' : 'The app asks for a key.';
  if (status === 403) return 'This key may not do that: it takes the admin key.';
  return `The app answered with status ${status}.`;
}

const getJson = async (path, options) => (await request(path, options)).json();
const post = (path, body) => request(path, { method: 'POST', body });
const part = encodeURIComponent;

const readParked = (forwarder, limit, next) => request(
  next ?? `forwarders/${part(forwarder)}/parked?limit=${limit}`);

/** The address in a Link header with rel="next", if there is one and it is on this site. */
function nextLink(response) {
  // RFC 8288: an address in Link is relative to the address that answered, not to this page.
  const [, address] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get('Link') ?? '') ?? [];
  const url = address && new URL(address, response.url);
  return url && url.origin === location.origin ? url.href : null;
}

/** The status, on request with the last ten minutes. A key that may not read it gets at least the state of the log. */
async function readStatus({ recent = false } = {}) {
  try {
    const response = await request(`status${recent ? '?recent=true' : ''}`);
    return { at: new Date(response.headers.get('Date') ?? Date.now()), isLimited: false, ...await response.json() };
  } catch (error) {
    if (!(error instanceof ApiError && error.isAboutKey && key())) throw error;
    const response = await request('partitions');
    return { at: new Date(response.headers.get('Date') ?? Date.now()), isLimited: true, forwarders: [], ...await response.json() };
  }
}
