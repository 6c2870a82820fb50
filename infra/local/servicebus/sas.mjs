import { createHmac, timingSafeEqual } from 'node:crypto';

export const KEY_NAME = 'RootManageSharedAccessKey';
export const KEY = 'SAS_KEY_VALUE';

/** Checked signatures are kept, because a client sends the same token with every request. */
const CHECKED_MAX = 1000;
const checked = new Map();

/**
 * Checks a shared access signature: rule name, signature and expiry. It does not check the scope.
 * @param {string|undefined} token `SharedAccessSignature sr=…&sig=…&se=…&skn=…`
 * @param {number} now milliseconds
 * @returns {{expiresAt: number}|{refusal: string}}
 */
export function checkToken(token, now) {
  const match = /^SharedAccessSignature\s+(.+)$/.exec(token ?? '');
  if (!match) return { refusal: 'MissingToken: expected "SharedAccessSignature sr=…&sig=…&se=…&skn=…".' };
  const fields = new Map(
    match[1].split('&').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  const expiresAt = Number(fields.get('se')) * 1000;
  if (!fields.get('sr') || !fields.get('sig') || !Number.isFinite(expiresAt)) {
    return { refusal: 'MalformedToken: sr, sig and se are needed.' };
  }
  if (decode(fields.get('skn') ?? '') !== KEY_NAME)
    return { refusal: `InvalidSignature: the rule must be ${KEY_NAME}.` };
  if (!signatureFits(token, fields)) return { refusal: 'InvalidSignature: The token has an invalid signature.' };
  if (expiresAt <= now) return { refusal: 'ExpiredToken: The token is expired.' };
  return { expiresAt };
}

function signatureFits(token, fields) {
  if (checked.has(token)) return true;
  const expected = createHmac('sha256', KEY)
    .update(`${fields.get('sr')}\n${fields.get('se')}`)
    .digest();
  const given = Buffer.from(decode(fields.get('sig')), 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
  if (checked.size >= CHECKED_MAX) checked.clear();
  checked.set(token, true);
  return true;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
