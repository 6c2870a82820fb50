import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { predict } from './bicep.mjs';
import { ALERTS, docQueries, read, workbookQueries } from './files.mjs';
import { analyze, missing } from './kusto.mjs';

// Whether they are queries, and whether what they name is what the real exporter was seen to send.

const deployed = predict();
const [queries, metrics] = ['scheduledQueryRules', 'metricAlerts'].map((type) =>
  deployed.of(`Microsoft.Insights/${type}`).map(({ name, properties }) => ({ name: name.replace('outpost-', ''), ...properties, ...properties.criteria.allOf?.[0] })));

/** Platform metrics as Microsoft lists them: names, what they are kept as, dimensions. */
const PLATFORM = JSON.parse(read('tests/Integration/infra/platform-metrics.json'));

/** What is asked of a platform metric that Azure does not have. */
function unknown(namespace, metric, aggregation, dimensions) {
  const { metrics = {}, dimensions: known = [] } = PLATFORM[namespace.toLowerCase()] ?? {};
  if (!metrics[metric]) return [`${namespace} ${metric}`];
  return [...(metrics[metric].includes(aggregation) ? [] : [`${metric} ${aggregation}`]), ...dimensions.filter((each) => !known.includes(each))];
}

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

  test('watch metrics that Azure has, and as it keeps them', () => {
    const watched = deployed.of('Microsoft.Insights/metricAlerts').flatMap(({ properties }) => properties.criteria.allOf ?? []);
    assert.ok(watched.length >= 3);
    for (const { metricNamespace, metricName, timeAggregation, dimensions } of watched) {
      assert.deepEqual(unknown(metricNamespace, metricName, timeAggregation, dimensions.map(({ name }) => name)), []);
    }
  });

  test('are each explained in the guide', () => {
    const guide = read('docs/operations.md');
    for (const { name } of [...queries, ...metrics]) {
      assert.match(guide, new RegExp(`^\\| \`${name}\` \\|`, 'm'), name);
      const page = read(`docs/runbook/${name}.md`);
      for (const part of ['What it means', 'What to look at', 'What to do', 'Over when']) assert.ok(page.includes(`\n## ${part}\n`), `${name}: ${part}`);
    }
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

  test('shows platform metrics that Azure has, of the resources that are deployed', () => {
    // How a workbook numbers what a metric is kept as.
    const AGGREGATIONS = { 1: 'Total', 2: 'Minimum', 3: 'Maximum', 4: 'Average' };
    const shown = JSON.parse(deployed.only('Microsoft.Insights/workbooks').properties.serializedData).items.filter(({ type }) => type === 10);
    const types = new Set();
    for (const { name, content } of shown) {
      const [id, ...others] = content.resourceIds;
      assert.deepEqual(others, [], name);
      const resource = deployed.resources.find((each) => each.id === id);
      assert.equal(resource?.type.toLowerCase(), content.resourceType, `${name}: ${id}`);
      types.add(resource.type);
      if (resource.type === 'Microsoft.Storage/storageAccounts') assert.equal(resource.name, deployed.outputs.LOG_ACCOUNT);
      assert.equal(content.timeContextFromParameter, 'TimeRange');
      for (const { namespace, metric, aggregation, splitBy } of content.metrics) {
        assert.equal(namespace, content.resourceType, name);
        const [, of, which] = /^(.+)--(\w+)$/.exec(metric);
        assert.equal(of, namespace, name);
        assert.deepEqual(unknown(namespace, which, AGGREGATIONS[aggregation], splitBy ? [splitBy] : []), [], name);
      }
    }

    assert.deepEqual([...types].toSorted(), ['Microsoft.ServiceBus/namespaces', 'Microsoft.Storage/storageAccounts', 'Microsoft.Web/sites']);
  });

  test('lets its reader choose any time', () => {
    const { typeSettings } = JSON.parse(read('infra/workbook.json')).items.find(({ type }) => type === 9).content.parameters.find(({ name }) => name === 'TimeRange');
    assert.equal(typeSettings.allowCustom, true);
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
