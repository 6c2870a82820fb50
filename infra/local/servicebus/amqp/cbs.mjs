import rhea from 'rhea';
import { checkToken } from '../sas.mjs';

/** Claims-based security. A token that is put here lets its connection attach links until the token expires. */
export function putToken(request, connection, { clock }) {
  const { operation, type } = request.application_properties ?? {};
  if (operation !== 'put-token') return reply(400, `Unknown operation '${operation}'.`);
  if (type !== 'servicebus.windows.net:sastoken') {
    return reply(401, `Tokens of type '${type}' are not known here; use the connection string.`);
  }
  const result = checkToken(String(request.body), clock());
  if (result.refusal) return reply(401, result.refusal);
  connection.authorizedUntil = Math.max(connection.authorizedUntil, result.expiresAt);
  return reply(202, 'Accepted');
}

function reply(code, description) {
  return {
    application_properties: { 'status-code': rhea.types.wrap_int(code), 'status-description': description },
    body: null,
  };
}
