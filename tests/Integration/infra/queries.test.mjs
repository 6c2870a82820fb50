import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ALERTS, declarations, parse, property, propertyNames, read, unquoted, workbookQueries } from './files.mjs';
import { analyze } from './kusto.mjs';

// What the queries name is held against what the app tells in tests/Integration/Telemetry; here, whether they are queries.

const FILE = 'infra/modules/alerts.bicep';
const variables = declarations(parse(read(FILE))).filter(({ kind }) => kind === 'var');
const alerts = (name) => variables.find((each) => each.name === name).node.namedChildren.at(-1).namedChildren;

describe('The alerts', () => {
  test('are queries with the column and the dimension that they are watched by', () => {
    for (const alert of alerts('queries')) {
      const of = (name) => unquoted(property(alert, name));
      const file = `infra/alerts/${/alerts\/([\w-]+\.kql)/.exec(of('query'))[1]}`;
      assert.equal(path.basename(file, '.kql'), of('name'));
      const { problems, columns } = analyze(read(file));
      assert.deepEqual(problems, [], file);
      for (const column of [of('measure'), of('dimension')].filter(Boolean)) assert.ok(columns.includes(column), `${file}: ${column}`);
    }
  });

  test('look back twice as far as the time between evaluations, since what is told arrives late', () => {
    const minutes = (period) => period.match(/^PT(\d+)([MH])$/).slice(1).reduce((count, unit) => count * (unit === 'H' ? 60 : 1));
    const windows = variables.find(({ name }) => name === 'windows').node.namedChildren.at(-1);
    const [, every] = /resource queryAlerts [^]*?evaluationFrequency: '(\w+)'/.exec(read(FILE));
    for (const name of propertyNames(windows)) assert.ok(minutes(unquoted(property(windows, name))) >= 2 * minutes(every), name);
  });

  test('leave no query out', () => assert.equal(alerts('queries').length, ALERTS.length));

  test('watch metrics that Service Bus has', () => {
    const KNOWN = ['DeadletteredMessages', 'ThrottledRequests', 'ActiveMessages', 'ServerErrors', 'UserErrors', 'Size'];
    for (const alert of alerts('metrics')) assert.ok(KNOWN.includes(unquoted(property(alert, 'metric'))), alert.text);
  });

  test('are each explained in the guide', () => {
    const guide = read('docs/operations.md');
    for (const alert of [...alerts('queries'), ...alerts('metrics')])
      assert.match(guide, new RegExp(`^\\| \`${unquoted(property(alert, 'name'))}\` \\|`, 'm'), alert.text);
  });
});

describe('The workbook', () => {
  const queries = workbookQueries();

  test('is made of queries', () => {
    assert.ok(queries.length > 10);
    for (const { name, query } of queries) assert.deepEqual(analyze(query).problems, [], `${name}:\n${query}`);
  });

  test('has items with names of their own', () => {
    const { items } = JSON.parse(read('infra/workbook.json'));
    assert.equal(new Set(items.map(({ name }) => name)).size, items.length);
  });
});
