import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { Language, Parser } from 'web-tree-sitter';

export const ROOT = path.resolve(import.meta.dirname, '../../..');

export const read = (file) => readFileSync(path.join(ROOT, file), 'utf8');

const below = (folder, ending) =>
  readdirSync(path.join(ROOT, folder)).filter((file) => file.endsWith(ending)).map((file) => `${folder}/${file}`);

export const BICEP = [...below('infra', '.bicep'), ...below('infra/modules', '.bicep')];
export const PARAMETERS = 'infra/main.bicepparam';
export const ALERTS = below('infra/alerts', '.kql');

await Parser.init();
const parser = new Parser();
const grammar = createRequire(import.meta.url).resolve('tree-sitter-bicep/tree-sitter-bicep.wasm');
parser.setLanguage(await Language.load(grammar));

/** The syntax tree of a Bicep file. */
export const parse = (text) => parser.parse(text).rootNode;

/** All nodes of those types, at any depth. */
export const nodes = (root, ...types) => root.descendantsOfType(types);

/** Where a file does not parse. */
export function syntaxErrors(text) {
  const errors = [];
  const visit = (node) => {
    if (node.type === 'ERROR' || node.isMissing) errors.push(`${node.startPosition.row + 1}: ${node.text.split('\n')[0]}`);
    else if (node.hasError) node.children.forEach(visit);
  };
  visit(parse(text));
  return errors;
}

/** What a file declares: params, variables, outputs, resources and modules. */
export function declarations(root) {
  const KINDS = {
    parameter_declaration: 'param',
    variable_declaration: 'var',
    output_declaration: 'output',
    resource_declaration: 'resource',
    module_declaration: 'module',
  };
  return nodes(root, ...Object.keys(KINDS)).map((node) => ({
    kind: KINDS[node.type],
    name: node.namedChildren[0].text,
    of: node.namedChildren[1]?.type === 'string' ? unquoted(node.namedChildren[1]) : undefined,
    isExisting: /^(resource|module)\s+\w+\s+'[^']*'\s+existing/.test(node.text),
    node,
  }));
}

/** The value of a property of the object below a node, as a node; undefined where there is none. */
export function property(node, name) {
  const object = node.type === 'object' ? node : nodes(node, 'object')[0];
  const found = object?.namedChildren.find((each) => each.type === 'object_property' && unquoted(each.namedChildren[0]) === name);
  return found?.namedChildren.at(-1);
}

/** Names of the properties of an object. */
export const propertyNames = (object) =>
  object.namedChildren.filter((each) => each.type === 'object_property').map((each) => unquoted(each.namedChildren[0]));

export const unquoted = (node) => node.text.replace(/^'(.*)'$/s, '$1');

/** The workbook's queries by the names of their items; what the portal puts in for its parameters is put in. */
export function workbookQueries() {
  const { items } = JSON.parse(read('infra/workbook.json'));
  const put = { start: 'ago(1h)', end: 'now()', grain: '5m' };
  return items
    .filter((item) => item.type === 3)
    .map((item) => ({
      name: item.name,
      query: item.content.query.replace(/\{TimeRange:(\w+)\}/g, (whole, part) => put[part] ?? whole),
    }));
}
