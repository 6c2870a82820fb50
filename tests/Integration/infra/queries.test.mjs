import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { predict } from './bicep.mjs';
import { ALERTS, docQueries, read, workbookQueries } from './files.mjs';
import { analyze, missing } from './kusto.mjs';

// Whether they are queries, and whether what they name is what the real exporter was seen to send.

const deployed = predict();
const [queries, metrics] = ['scheduledQueryRules', 'metricAlerts'].map((type) =>
  deployed.of(`Microsoft.Insights/${type}`).map(({ name, properties }) => ({ name: name.replace('outpost-', ''), ...properties, ...properties.criteria.allOf?.[0] })));

describe('The alerts', () => {
  test('are queries with the column and the dimension that they are watched by', () => {
    for (const { name, query, metricMeasureColumn, dimensions } of queries) {
      assert.equal(query, read(`infra/alerts/${name}.kql`));
      const { problems, columns } = analyze(query);
      assert.deepEqual(problems, [], name);
      assert.deepEqual(missing(query), [], name);
      for (const column of [metricMeasureColumn, ...dimensions.map((each) => each.name)]) assert.ok(columns.includes(column), `${name}: ${column}`);
    }
  });

  test('look back twice as far as the time between evaluations, since what is told arrives late', () => {
    const minutes = (period) => period.match(/^PT(\d+)([MH])$/).slice(1).reduce((count, unit) => count * (unit === 'H' ? 60 : 1));
    for (const { name, windowSize, evaluationFrequency } of queries) assert.ok(minutes(windowSize) >= 2 * minutes(evaluationFrequency), name);
  });

  test('leave no query out', () => assert.deepEqual(queries.map(({ name }) => `infra/alerts/${name}.kql`).toSorted(), ALERTS.toSorted()));

  test('watch metrics that Service Bus has', () => {
    const KNOWN = ['DeadletteredMessages', 'ThrottledRequests', 'ActiveMessages', 'ServerErrors', 'UserErrors', 'Size'];
    assert.ok(metrics.length > 0);
    for (const { name, metricName } of deployed.of('Microsoft.Insights/metricAlerts').flatMap(({ properties }) => properties.criteria.allOf ?? [])) assert.ok(KNOWN.includes(metricName), name);
  });

  test('are each explained in the guide', () => {
    const guide = read('docs/operations.md');
    for (const { name } of [...queries, ...metrics]) assert.match(guide, new RegExp(`^\\| \`${name}\` \\|`, 'm'), name);
  });
});

describe('The workbook', () => {
  const items = workbookQueries();

  test('is made of queries', () => {
    assert.ok(items.length > 10);
    for (const { name, query } of items) assert.deepEqual(analyze(query).problems, [], `${name}:\n${query}`);
  });

  for (const { name, query } of items) test(`asks for what the exporter sends: ${name}`, () => assert.deepEqual(missing(query), []));

  test('asks for exceptions wherever it asks for lines: a line with an exception is no trace', () => {
    for (const { query } of items) assert.equal(/\btraces\b/.test(query), /\btraces\b/.test(query) && /\bexceptions\b/.test(query), query);
  });

  test('has items with names of their own', () => {
    const { items } = JSON.parse(read('infra/workbook.json'));
    assert.equal(new Set(items.map(({ name }) => name)).size, items.length);
  });
});

describe('The queries of the docs', () => {
  const queries = docQueries();
  test('are found', () => assert.ok(queries.length >= 3));
  for (const query of queries) test(`are queries for what the exporter sends: ${query}`, () => {
    assert.deepEqual(analyze(query).problems, []);
    assert.deepEqual(missing(query), []);
  });
});
