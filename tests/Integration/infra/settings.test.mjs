import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { predict } from './bicep.mjs';
import { read } from './files.mjs';

/** A name of before, which the code looks for only to refuse it. */
const REFUSED = 'Forwarder__Schedule';

/** The settings that the code reads, found in it. */
const readByCode = () => {
  const code = ['Outpost/Setup/OutpostOptions.cs', 'Outpost.Tables/TableStorageOptions.cs', 'Outpost.ServiceBus/ServiceBusOptions.cs', 'Outpost.AzureFunctions/OperatorSignIn.cs', 'Functions/RefundHandler.cs']
    .map((file) => read(`src/${file}`)).join('\n');
  const constants = Object.fromEntries([...code.matchAll(/const string (\w+) = "(\w+)"/g)].map(([, name, value]) => [name, value]));
  const names = [
    ...[...code.matchAll(/read\.\w+\(\s*"(\w+__\w+)"/g)].map(([, name]) => name).filter((name) => name !== REFUSED),
    ...[...code.matchAll(/const string \w+ = "([A-Z]+_[A-Z]+|\w+__\w+)"/g)].map(([, name]) => name),
    ...[...code.matchAll(/read\.Connection\("?(\w+)"?, "(\w+)"/g)].flatMap(([, name, endpoint]) => {
      const connection = constants[name] ?? name;
      return [connection, `${connection}__${endpoint}`, `${connection}__clientId`];
    }),
    ...[...read('src/Outpost.AzureFunctions/Telemetry.cs').matchAll(/const string \w+ = "([A-Z_]+)"/g)].map(([, name]) => name),
  ];
  return [...new Set(names)];
};

/** The settings of further targets that the code reads. */
const readByTargets = () =>
  [['RabbitMQ', 'Options', /AllowOnly\(Group, ([^)]+)\)/], ['Kafka', 'Settings', /string\[\] Names =\s*\[([^\]]+)\]/]].map(([target, file, list]) =>
    [target, [...read(`src/Outpost.${target}/${target}${file}.cs`).match(list)[1].matchAll(/"(\w+)"/g)].map(([, name]) => name)]);

const isOfTarget = (name) => name.startsWith('Targets__');

describe('The settings', () => {
  const BY_IDENTITY = /__(serviceUri|fullyQualifiedNamespace|clientId)$/;

  test('in Azure are those that the code reads, by identity, and those of the host', () => {
    const HOST = ['credential', 'clientId', 'accountName', 'blobServiceUri'].map((name) => `AzureWebJobsStorage__${name}`);
    const NOT_IN_AZURE = ['TableStorage', 'ServiceBus', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
    assert.deepEqual(
      Object.keys(predict().only('Microsoft.Web/sites/config').properties).filter((name) => !isOfTarget(name)).toSorted(),
      [...HOST, ...readByCode().filter((name) => !NOT_IN_AZURE.includes(name))].toSorted(),
    );
  });

  test('of the sample are those that the code reads, by connection string, and those of the tools', () => {
    const TOOLS = ['FUNCTIONS_WORKER_RUNTIME', 'AzureWebJobsStorage'];
    assert.deepEqual(
      Object.keys(JSON.parse(read('local.settings.sample.json')).Values).filter((name) => !isOfTarget(name)).toSorted(),
      [...TOOLS, ...readByCode().filter((name) => !BY_IDENTITY.test(name))].toSorted(),
    );
  });

  test('of further targets are all in the reference', () => {
    const groups = readByTargets();
    for (const [target, names] of groups) assert.ok(names.length > 3, `${target}: ${names}`);
    const reference = read('docs/reference.md');
    for (const [target, names] of groups) {
      for (const name of names.filter((each) => each !== 'clientId')) assert.match(reference, new RegExp(`\`Targets__${target}__${name}\``), name);
    }
  });

  test('of further targets, in Azure and in the sample, are among those that the code reads, and empty unless asked for', () => {
    const known = readByTargets().flatMap(([target, names]) => names.map((name) => `Targets__${target}__${name}`));
    for (const values of [predict().only('Microsoft.Web/sites/config').properties, JSON.parse(read('local.settings.sample.json')).Values]) {
      const names = Object.keys(values).filter(isOfTarget);
      assert.ok(names.length >= 2, `${names}`);
      for (const name of names) assert.ok(known.includes(name) && values[name] === '', `${name}: ${values[name]}`);
    }
  });

  test('are all in the reference', () => {
    const names = readByCode();
    assert.ok(names.length > 15, `${names.length} found in the code`);
    const reference = read('docs/reference.md');
    for (const name of names.filter((each) => !each.endsWith('__clientId'))) assert.match(reference, new RegExp(`\`${name}\``), name);
  });
});
