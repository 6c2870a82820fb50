import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { predict } from './bicep.mjs';
import { read } from './files.mjs';

/** A name of before, which the code looks for only to refuse it. */
const REFUSED = 'Forwarder__Schedule';

/** The settings that the code reads, found in it. */
const readByCode = () => {
  const code = read('src/Functions/Settings.cs');
  const names = [
    ...[...code.matchAll(/read\.\w+\(\s*"(\w+__\w+)"/g)].map(([, name]) => name).filter((name) => name !== REFUSED),
    ...[...code.matchAll(/const string \w+Name = "([A-Z_]+)"/g)].map(([, name]) => name),
    ...[...code.matchAll(/read\.Connection\("(\w+)", "(\w+)"\)/g)].flatMap(([, name, endpoint]) => [name, `${name}__${endpoint}`, `${name}__clientId`]),
    ...[...read('src/Functions/Telemetry.cs').matchAll(/const string \w+ = "([A-Z_]+)"/g)].map(([, name]) => name),
  ];
  return [...new Set(names)];
};

describe('The settings', () => {
  const BY_IDENTITY = /__(serviceUri|fullyQualifiedNamespace|clientId)$/;

  test('in Azure are those that the code reads, by identity, and those of the host', () => {
    const HOST = ['credential', 'clientId', 'accountName', 'blobServiceUri'].map((name) => `AzureWebJobsStorage__${name}`);
    const NOT_IN_AZURE = ['TableStorage', 'ServiceBus', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
    assert.deepEqual(
      Object.keys(predict().only('Microsoft.Web/sites/config').properties).toSorted(),
      [...HOST, ...readByCode().filter((name) => !NOT_IN_AZURE.includes(name))].toSorted(),
    );
  });

  test('of the sample are those that the code reads, by connection string, and those of the tools', () => {
    const TOOLS = ['FUNCTIONS_WORKER_RUNTIME', 'AzureWebJobsStorage'];
    assert.deepEqual(
      Object.keys(JSON.parse(read('local.settings.sample.json')).Values).toSorted(),
      [...TOOLS, ...readByCode().filter((name) => !BY_IDENTITY.test(name))].toSorted(),
    );
  });

  test('of further targets are all in the reference', () => {
    const code = read('src/Functions/Targets.cs');
    const groups = [...code.matchAll(/string\[\] (\w+)Names =\s*\[([^\]]+)\]/g)].map(([, target, names]) => [target, [...names.matchAll(/"(\w+)"/g)].map(([, name]) => name)]);
    assert.deepEqual(groups.map(([target]) => target), ['RabbitMQ', 'Kafka']);
    const reference = read('docs/reference.md');
    for (const [target, names] of groups) {
      for (const name of names.filter((each) => each !== 'clientId')) assert.match(reference, new RegExp(`\`Targets__${target}__${name}\``), name);
    }
  });

  test('are all in the reference', () => {
    const names = readByCode();
    assert.ok(names.length > 15, `${names.length} found in the code`);
    const reference = read('docs/reference.md');
    for (const name of names.filter((each) => !each.endsWith('__clientId'))) assert.match(reference, new RegExp(`\`${name}\``), name);
  });
});
