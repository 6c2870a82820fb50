export function manage() {
  return () => ({ application_properties: { statusCode: 501, statusDescription: 'not yet' }, body: null });
}
