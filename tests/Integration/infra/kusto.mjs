import { createRequire } from 'node:module';

// The analyzer of Azure's own query editors, compiled from C#; it leaves one global behind.
const require = createRequire(import.meta.url);
require('@kusto/language-service-next/bridge.min.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');
const { KustoCode, GlobalState, Symbols } = globalThis.Kusto.Language;

/** Tables of Application Insights, with the columns that queries here may use. */
const TABLES = {
  customMetrics:
    '(timestamp:datetime, name:string, valueCount:int, valueSum:real, valueMin:real, valueMax:real, customDimensions:dynamic, itemType:string)',
  dependencies:
    '(timestamp:datetime, name:string, type:string, success:bool, duration:real, customDimensions:dynamic, itemType:string, itemCount:int)',
  requests:
    '(timestamp:datetime, name:string, success:bool, resultCode:string, duration:real, customDimensions:dynamic, itemType:string, itemCount:int)',
  exceptions:
    '(timestamp:datetime, type:string, outerMessage:string, problemId:string, severityLevel:int, customDimensions:dynamic, itemType:string, itemCount:int)',
  traces: '(timestamp:datetime, message:string, severityLevel:int, customDimensions:dynamic, itemType:string, itemCount:int)',
};

const tables = Object.entries(TABLES).map(([name, columns]) => Symbols.TableSymbol.From(columns).WithName(name));
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
