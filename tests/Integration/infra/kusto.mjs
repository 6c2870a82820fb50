import { createRequire } from 'node:module';
import { read } from './files.mjs';

// The analyzer of Azure's own query editors, compiled from C#; it leaves one global behind.
const require = createRequire(import.meta.url);
require('@kusto/language-service-next/bridge.min.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');
const { KustoCode, GlobalState, Symbols } = globalThis.Kusto.Language;

/** What the real exporter was seen to send: per table and name, what is in customDimensions (What_Azure_Monitor_is_sent.cs). */
export const SENT = JSON.parse(read('tests/Integration/infra/azure-monitor.json'));

/** Tables of Application Insights with the columns that queries here may use, as their documentation has them. */
const TABLES = {
  customMetrics:
    '(timestamp:datetime, name:string, valueCount:int, valueSum:real, valueMin:real, valueMax:real, cloud_RoleInstance:string, customDimensions:dynamic, itemType:string)',
  dependencies:
    '(timestamp:datetime, name:string, type:string, success:bool, duration:real, customDimensions:dynamic, itemType:string, itemCount:int)',
  exceptions:
    '(timestamp:datetime, type:string, message:string, outerType:string, outerMessage:string, severityLevel:int, customDimensions:dynamic, itemType:string, itemCount:int)',
  requests:
    '(timestamp:datetime, name:string, success:bool, resultCode:string, duration:real, customDimensions:dynamic, itemType:string, itemCount:int)',
  traces: '(timestamp:datetime, message:string, severityLevel:int, customDimensions:dynamic, itemType:string, itemCount:int)',
};

const tables = Object.entries(TABLES).map(([name, columns]) => Symbols.TableSymbol.From(columns.replace(')', ', _BilledSize:real)')).WithName(name));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('insights', tables));

const list = (items) => Array.from({ length: items.Count }, (_, index) => items.getItem(index));

/** What is wrong with a query, and the names of the columns it answers with. */
export function analyze(query) {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const result = code.ResultType;
  return {
    problems: list(code.GetDiagnostics()).map((each) => each.Message),
    columns: result?.Columns ? list(result.Columns).map((column) => column.Name) : [],
  };
}

/** Tables that the platform writes too, or alone: what is in them beside the app's own is known from documentation only. */
const PLATFORM = ['requests'];

/** What a query asks for that the exporter does not send: tables, names of metrics and spans, categories, dimensions. */
export function missing(query) {
  const text = query.replace(/^\/\/.*$/gm, '').trim();
  const [, list] = /^(?:union\s+)?((?:\w+,\s*)*\w+)/.exec(text);
  const tables = list.split(/,\s*/);
  const unsent = tables.filter((table) => !SENT[table] && !PLATFORM.includes(table)).map((table) => `table ${table}`);
  const sent = tables.flatMap((table) => Object.entries(SENT[table] ?? {}));
  const exact = [...text.matchAll(/\bname == '([^']+)'/g)].map(([, name]) => name);
  const listed = [...text.matchAll(/\bname in \(([^)]+)\)/g)].flatMap(([, names]) => [...names.matchAll(/'([^']+)'/g)].map(([, name]) => name));
  const starts = [...text.matchAll(/\bstartswith '([^']+)'/g)].map(([, name]) => name);
  const dimensions = [...text.matchAll(/customDimensions(?:\.(\w+)|\['([^']+)'\])/g)].map(([, plain, quoted]) => plain ?? quoted);
  const named = [...exact, ...listed].map((name) => [name, sent.filter(([each]) => each === name)]);
  const started = starts.map((start) => [start, sent.filter(([each]) => each.startsWith(start))]);
  const asked = [...named, ...started];
  const found = asked.length > 0 ? asked.flatMap(([, each]) => each) : sent;
  return [
    ...unsent,
    ...asked.filter(([, each]) => each.length === 0).map(([name]) => name),
    // A dimension that a query by several names asks for may belong to one of them.
    ...[...new Set(dimensions)].filter((dimension) => !found.some(([, its]) => its.includes(dimension))).map((dimension) => `customDimensions.${dimension}`),
  ];
}
