// Holds answers of a running app against the OpenAPI document: status, headers, media type, body.
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

// What a server may add to any answer.
const ANYWHERE = new Set(['date', 'content-type', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'server']);

export class Contract {
  #ajv = new Ajv2020({ strict: false, allErrors: true });
  #seen = new Map();

  constructor(document) {
    this.document = document;
    addFormats.default(this.#ajv);
    this.#ajv.addFormat('int64', true);
    this.#ajv.addSchema(document, 'openapi');
    this.operations = new Map();
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const parameters = (operation.parameters ?? []).map((each) => this.resolve(each));
        this.operations.set(operation.operationId, { ...operation, parameters, path, method });
      }
    }
  }

  resolve(node) {
    return node.$ref ? node.$ref.slice(2).split('/').reduce((at, name) => at[name], this.document) : node;
  }

  /** Statuses seen of an operation. */
  seen(operationId) {
    return this.#seen.get(operationId) ?? new Set();
  }

  /** What is wrong with an answer; nothing when it is as documented. */
  problems(operationId, { status, headers, body }) {
    const operation = this.operations.get(operationId);
    this.#seen.set(operationId, this.seen(operationId).add(String(status)));
    const reference = operation.responses[status];
    if (!reference) return [`status ${status} is not documented`];
    const response = this.resolve(reference);
    return [...this.#headerProblems(response, headers), ...this.#bodyProblems(reference, response, headers, body, operation.method)];
  }

  #headerProblems(response, headers) {
    const problems = [];
    const declared = new Map(Object.entries(response.headers ?? {}).map(([name, header]) => [name.toLowerCase(), header]));
    for (const [name, header] of declared) {
      const value = headers[name];
      const { required, schema } = this.resolve(header);
      if (value === undefined) {
        if (required) problems.push(`header ${name} is missing`);
      } else if (!this.#ajv.validate(schema, schema.type === 'integer' ? Number(value) : value)) {
        problems.push(`header ${name}: ${value} ${this.#ajv.errorsText()}`);
      }
    }
    for (const name of Object.keys(headers)) {
      if (!declared.has(name) && !ANYWHERE.has(name)) problems.push(`header ${name}: ${headers[name]} is not documented`);
    }
    return problems;
  }

  #bodyProblems(reference, response, headers, body, method) {
    const type = headers['content-type']?.split(';')[0];
    if (!response.content) return body.length > 0 || type ? [`a body of ${type} is not documented`] : [];
    const key = response.content[type] ? type : '*/*';
    if (!response.content[key]) return [`media type ${type} is not documented`];
    if (method === 'head') return body.length > 0 ? ['HEAD has a body'] : [];
    if (key === '*/*' || !/json$/.test(type)) return [];
    const pointer = `${reference.$ref}/content/${key.replaceAll('~', '~0').replaceAll('/', '~1')}/schema`;
    return this.#ajv.validate({ $ref: `openapi${pointer}` }, JSON.parse(body))
      ? []
      : [`body: ${this.#ajv.errorsText()} in ${body.toString().slice(0, 300)}`];
  }
}
