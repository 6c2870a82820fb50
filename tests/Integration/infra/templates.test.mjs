import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { BICEP, PARAMETERS, ROOT, declarations, nodes, parse, property, propertyNames, read, syntaxErrors } from './files.mjs';

// There is no Bicep compiler here: a grammar parses the files, and what a compiler or Azure would refuse is looked for.

const MAIN = 'infra/main.bicep';
const files = new Map(BICEP.map((file) => [file, parse(read(file))]));
const main = files.get(MAIN);
const all = (kind) => BICEP.flatMap((file) => declarations(files.get(file)).filter((each) => each.kind === kind).map((each) => ({ ...each, file })));

/** Each type of resource, and the one version of its API that is used. */
const API_VERSIONS = {
  'Microsoft.Authorization/roleAssignments': '2022-04-01',
  'Microsoft.Insights/actionGroups': '2023-01-01',
  'Microsoft.Insights/components': '2020-02-02',
  'Microsoft.Insights/metricAlerts': '2018-03-01',
  'Microsoft.Insights/scheduledQueryRules': '2023-12-01',
  'Microsoft.Insights/workbooks': '2023-06-01',
  'Microsoft.ManagedIdentity/userAssignedIdentities': '2023-01-31',
  'Microsoft.OperationalInsights/workspaces': '2023-09-01',
  'Microsoft.Resources/resourceGroups': '2024-03-01',
  'Microsoft.ServiceBus/namespaces': '2024-01-01',
  'Microsoft.Storage/storageAccounts': '2023-05-01',
  'Microsoft.Web/serverfarms': '2024-04-01',
  'Microsoft.Web/sites': '2024-04-01',
};

/** The roles that the app is given, as Azure numbers them, and nothing wider. */
const ROLES = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  serviceBusDataSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39',
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb',
};

/** Types that can have no tags. */
const UNTAGGED = ['Microsoft.Authorization/roleAssignments'];

/** Identifiers in a file that are no declarations: where a name is used. */
const uses = (root) => {
  const declared = new Set(declarations(root).map((each) => each.node.namedChildren[0].id));
  return nodes(root, 'identifier').filter((node) => !declared.has(node.id) && !isPropertyName(node)).map((node) => node.text);
};
const isPropertyName = (node) => node.parent?.type === 'object_property' && node.parent.namedChildren[0].id === node.id;

const valueOf = (declaration) => declaration.node.namedChildren.at(-1);

describe('The templates', () => {
  test('parse', () => {
    for (const file of BICEP) assert.deepEqual(syntaxErrors(read(file)), [], file);
    // The grammar does not know files of parameters: read as variables.
    assert.deepEqual(syntaxErrors(read(PARAMETERS).replace(/^using .*$/m, '').replace(/^param /gm, 'var ')), [], PARAMETERS);
  });

  test('declare nothing that is not used', () => {
    for (const [file, root] of files) {
      const used = new Set(uses(root));
      const unused = declarations(root)
        .filter(({ kind, isExisting }) => kind === 'param' || kind === 'var' || isExisting)
        .filter(({ name }) => !used.has(name));
      assert.deepEqual(unused.map(({ name }) => name), [], file);
    }
  });

  test('use nothing that is not declared', () => {
    const DECORATORS = ['allowed', 'description', 'maxLength', 'maxValue', 'minLength', 'minValue'];
    const FUNCTIONS = ['empty', 'guid', 'json', 'loadTextContent', 'map', 'string', 'subscription', 'subscriptionResourceId', 'union', 'uniqueString'];
    for (const [file, root] of files) {
      const known = new Set([...DECORATORS, ...FUNCTIONS, ...declarations(root).map(({ name }) => name)]);
      for (const node of nodes(root, 'for_statement', 'lambda_expression')) known.add(node.namedChildren[0].text);
      assert.deepEqual(uses(root).filter((name) => !known.has(name)), [], file);
    }
  });

  test('read of the items of a list only what each of them has', () => {
    for (const [file, root] of files) {
      for (const loop of nodes(root, 'for_statement')) {
        const [item, list] = loop.namedChildren.map(({ text }) => text);
        const items = declarations(root).find(({ name }) => name === list).node.namedChildren.at(-1).namedChildren;
        for (const [, name] of loop.text.matchAll(new RegExp(`\\b${item}\\.(\\w+)`, 'g')))
          for (const each of items.filter(({ type }) => type === 'object')) assert.ok(propertyNames(each).includes(name), `${file}: ${list} ${name}`);
      }
    }
  });

  test('give each module the parameters it declares, and use all it answers with', () => {
    for (const module of all('module')) {
      const file = path.posix.join(path.posix.dirname(module.file), module.of);
      assert.ok(files.has(file), `${module.name}: ${file} is missing`);
      const given = propertyNames(property(module.node, 'params'));
      const params = declarations(files.get(file)).filter(({ kind }) => kind === 'param');
      assert.deepEqual(given.toSorted(), params.map(({ name }) => name).toSorted(), module.name);

      const answers = declarations(files.get(file)).filter(({ kind }) => kind === 'output').map(({ name }) => name);
      const text = read(module.file);
      const taken = [...text.matchAll(new RegExp(`\\b${module.name}\\.outputs\\.(\\w+)`, 'g'))].map(([, name]) => name);
      assert.deepEqual([...new Set(taken)].toSorted(), answers.toSorted(), module.name);
    }
  });

  test('describe every parameter, as the guide does, and the guide uses every output', () => {
    const guide = read('docs/operations.md') + read('README.md');
    for (const { kind, name } of declarations(main).filter((each) => ['param', 'output'].includes(each.kind))) {
      assert.match(read(MAIN), new RegExp(`@description\\('[^\\n]+'\\)\\n(@[^\\n]+\\n)*${kind} ${name} `), name);
      assert.match(guide, new RegExp(`\\b${name}\\b`), `${name} is not in the guide`);
    }
  });

  test('are given only parameters that exist', () => {
    const params = declarations(main).filter(({ kind }) => kind === 'param').map(({ name }) => name);
    for (const [, name] of read(PARAMETERS).matchAll(/^param (\w+)/gm)) assert.ok(params.includes(name), name);
  });

  test('load files that exist', () => {
    const loads = BICEP.flatMap((file) => [...read(file).matchAll(/load\w+Content\('([^']+)'\)/g)].map(([, name]) => [file, name]));
    assert.ok(loads.length > 0);
    for (const [file, name] of loads) assert.ok(existsSync(path.join(ROOT, path.dirname(file), name)), `${file}: ${name}`);
  });
});

describe('The resources', () => {
  const resources = all('resource');
  const withVersion = resources.filter(({ of }) => of.includes('@'));

  test('have the API versions listed here, and no others', () => {
    const used = Object.fromEntries(withVersion.map(({ of }) => of.split('@')));
    assert.deepEqual(used, API_VERSIONS);
    for (const { name, of } of withVersion) assert.equal(of.split('@')[1], API_VERSIONS[of.split('@')[0]], name);
  });

  test('are tagged with the environment, and the app with the service that azd deploys', () => {
    for (const { name, of, node } of withVersion.filter(({ of }) => !UNTAGGED.includes(of.split('@')[0])))
      assert.match(property(node, 'tags')?.text ?? '', /\btags\b/, `${name} (${of})`);
    const service = /'azd-service-name': '(\w+)'/.exec(read('infra/modules/app.bicep'))[1];
    const [, project] = new RegExp(`^  ${service}:\\n    project: (\\S+)$`, 'm').exec(read('azure.yaml'));
    assert.ok(existsSync(path.join(ROOT, project, 'Functions.csproj')));
  });

  test('let nobody in by a key or password', () => {
    const text = (file) => read(`infra/modules/${file}.bicep`);
    assert.equal(text('storage').match(/properties: accountProperties/g).length, resources.filter(({ of }) => of.startsWith('Microsoft.Storage/')).length);
    assert.match(text('storage'), /allowSharedKeyAccess: false/);
    assert.match(text('bus'), /disableLocalAuth: true/);
    assert.match(text('monitoring'), /DisableLocalAuth: true/);
    assert.equal(text('app').match(/properties: \{ allow: false \}/g).length, 2);
  });

  test('keep what forwarding relies on: duplicate detection of an hour or more, order, sessions', () => {
    const topic = resources.find(({ of }) => of === 'topics').node;
    const of = (name) => property(property(topic, 'properties'), name)?.text;
    assert.deepEqual([of('requiresDuplicateDetection'), of('supportOrdering'), of('enablePartitioning')], ['true', 'true', 'false']);
    assert.match(read(MAIN), /@minValue\(60\)\n@maxValue\(10080\)\nparam duplicateDetectionMinutes int/);
    const sessions = resources.filter((each) => each.of === 'subscriptions').map(({ name, node }) => [name, property(property(node, 'properties'), 'requiresSession').text]);
    assert.deepEqual(sessions, [['orders', 'true'], ['all', 'false']]);
  });

  test('set nothing on the app that Flex Consumption is known to refuse', () => {
    const app = resources.find(({ of }) => of.startsWith('Microsoft.Web/sites@')).node;
    assert.deepEqual(propertyNames(property(property(app, 'properties'), 'siteConfig')), ['minTlsVersion']);
    const settings = read(MAIN).match(/settings: \{[^]*?\n    \}/)[0];
    assert.doesNotMatch(settings, /FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE/);
  });

  test('have names that fit: an account has 24 characters at most', () => {
    const UNIQUE = 13;
    for (const { node, name } of resources.filter(({ of }) => of.startsWith('Microsoft.Storage/'))) {
      const [, prefix] = /^'([a-z]+)\$\{token\}'$/.exec(property(node, 'name').text);
      assert.ok(prefix.length + UNIQUE <= 24, name);
    }
  });
});

describe('The roles', () => {
  const guid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

  test('are those listed here, under their names', () => {
    const named = all('var').filter(({ node }) => node.text.includes('roleDefinitions'));
    assert.deepEqual(Object.fromEntries(named.map((each) => [each.name, valueOf(each).text.match(guid)[0]])), ROLES);
    assert.equal(BICEP.flatMap((file) => read(file).match(guid) ?? []).length, Object.keys(ROLES).length);
  });

  test('are given once each, to the identity of the app, on one resource', () => {
    const given = all('resource').filter(({ of }) => of.startsWith('Microsoft.Authorization/'));
    assert.deepEqual(given.map(({ node }) => property(property(node, 'properties'), 'roleDefinitionId').text).toSorted(), Object.keys(ROLES).toSorted());
    for (const { node, name } of given) {
      const role = property(property(node, 'properties'), 'roleDefinitionId').text;
      const scope = property(node, 'scope').text;
      assert.equal(property(node, 'name').text, `guid(${scope}.id, principalId, ${role})`, name);
    }
  });

  test('are explained in the guide, with what they are for', () => {
    const guide = read('docs/operations.md');
    for (const role of Object.keys(ROLES)) {
      const words = role.replace(/[A-Z]/g, (letter) => ` ${letter}`).trim();
      assert.match(guide, new RegExp(`\\| [^|\\n]*${words}`, 'i'), words);
    }
  });
});

test('There is no secret in any template, and nothing that would fetch one', () => {
  const SECRETS = /\blist\w*\(|AccountKey|SharedAccessKey|InstrumentationKey=|SharedAccessSignature|[?&]sig=|password|@secure/i;
  for (const file of [...BICEP, PARAMETERS, 'azure.yaml', 'infra/workbook.json']) assert.doesNotMatch(read(file), SECRETS, file);
});
