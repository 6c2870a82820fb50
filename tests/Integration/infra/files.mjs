import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../../..');

export const read = (file) => readFileSync(path.join(ROOT, file), 'utf8');

const below = (folder, ending) =>
  readdirSync(path.join(ROOT, folder)).filter((file) => file.endsWith(ending)).map((file) => `${folder}/${file}`);

export const MAIN = 'infra/main.bicep';
export const PARAMETERS = 'infra/main.bicepparam';
export const BICEP = [...below('infra', '.bicep'), ...below('infra/modules', '.bicep')];
export const ALERTS = below('infra/alerts', '.kql');

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

/** The queries in the text of the docs: code that begins with a table and goes on with a pipe, on one line or two. */
export const docQueries = () =>
  ['operations', 'monitoring'].flatMap((page) => [...read(`docs/${page}.md`).matchAll(/`((?:union )?(?:customMetrics|traces|exceptions|dependencies|requests)[^`]*\|[^`]*)`/g)].map(([, query]) => query.replaceAll('\n', ' ')));
