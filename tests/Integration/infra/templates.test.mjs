import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { compile, parameters, predict } from './bicep.mjs';
import { BICEP, PARAMETERS, ROOT, read } from './files.mjs';

/** The roles that the app is given, as Azure numbers them, on how many resources, and nothing wider. */
const ROLES = {
  'Storage Blob Data Owner': ['b7e6dc6d-f1e8-4753-8033-0f276bb0955b', 1],
  'Storage Table Data Contributor': ['0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3', 2],
  'Service Bus Data Sender': ['69a216fc-b8fb-44d8-bc22-1f3c2cd27a39', 1],
  'Monitoring Metrics Publisher': ['3913510d-42f4-4e42-8a64-420c390055eb', 1],
};

const { said, template } = compile();

/** Deployments with other parameters; whatever holds for the plain one holds for each. */
const VARIANTS = {
  default: '',
  'private network': 'param privateNetwork = true',
  'premium bus': "param busTier = 'Premium'\nparam busMessagingUnits = 2",
  'zone redundant': 'param zoneRedundant = true',
};
const variants = Object.entries(VARIANTS).map(([title, lines]) => [title, predict(lines)]);
const [[, plain]] = variants;

describe('The templates', () => {
  // Types and required properties of every resource, declarations, and what is declared in vain.
  test('compile, and neither the compiler nor its linter has anything to say', () => assert.equal(said, ''));

  test('are each used', () => {
    const modules = [...read('infra/main.bicep').matchAll(/^module \w+ '(modules\/\w+\.bicep)'/gm)].map(([, file]) => `infra/${file}`);
    assert.deepEqual(['infra/main.bicep', ...modules].toSorted(), BICEP.toSorted());
  });

  test('use all that a module answers with', () => {
    const text = JSON.stringify(template);
    for (const { name, properties } of template.resources.filter(({ type }) => type === 'Microsoft.Resources/deployments')) {
      for (const answer of Object.keys(properties.template.outputs ?? {})) {
        // Of a module that is not always deployed, the compiler asks in the second way.
        const asked = `(\\.outputs\\.${answer}\\.value|, null\\(\\)\\), 'outputs', '${answer}', 'value')`;
        assert.ok(new RegExp(`'Microsoft.Resources/deployments', '${name}'\\), '[\\d-]+'\\)${asked}`).test(text), `${name}.${answer}`);
      }
    }
  });

  test('describe every parameter, as the guide does, and the guide uses every output', () => {
    const guide = read('docs/deploy.md') + read('README.md');
    for (const [name, { metadata }] of Object.entries({ ...template.parameters, ...template.outputs })) {
      assert.ok(metadata?.description?.length > 10, name);
      assert.match(guide, new RegExp(`\\b${name}\\b`), `${name} is not in the guide`);
    }
  });

  test('are given what azd has, and no alarm mail where it has no address', () => {
    const { said, values } = parameters({ AZURE_ENV_NAME: 'shop', ACTION_GROUP_ID: '/subscriptions/s/x' });
    assert.equal(said, '');
    assert.deepEqual(values, { environmentName: 'shop', location: 'westeurope', alertEmail: '', actionGroupId: '/subscriptions/s/x' });
  });

  test('have no secret in them, and nothing that would fetch one', () => {
    const SECRETS = /\blist\w*\(|AccountKey|SharedAccessKey|InstrumentationKey=|SharedAccessSignature|[?&]sig=|password|@secure/i;
    for (const file of [...BICEP, PARAMETERS, 'azure.yaml', 'infra/workbook.json']) assert.doesNotMatch(read(file), SECRETS, file);
    assert.doesNotMatch(JSON.stringify(template), SECRETS);
  });
});

describe('What is deployed', () => {
  for (const [title, deployed] of variants) {
    test(`is predicted without a doubt, and each type has one version of its API (${title})`, () => {
      assert.deepEqual(deployed.diagnostics, []);
      const versions = new Map(deployed.resources.map(({ type, apiVersion }) => [type, apiVersion]));
      for (const { type, apiVersion } of deployed.resources) assert.equal(apiVersion, versions.get(type), type);
      assert.equal(deployed.resources.length, new Set(deployed.resources.map(({ id }) => id)).size);
    });

    test(`has the settings and the alarms of the plain one (${title})`, () => {
      const settings = (one) => Object.keys(one.only('Microsoft.Web/sites/config').properties);
      const alarms = (one) => ['scheduledQueryRules', 'metricAlerts'].flatMap((type) => one.of(`Microsoft.Insights/${type}`).map(({ name }) => name));
      assert.deepEqual(settings(deployed), settings(plain));
      assert.deepEqual(alarms(deployed), alarms(plain));
      assert.ok(alarms(deployed).length > 8);
    });
  }

  test('is open to the network by default, and with privateNetwork only to its own', () => {
    const [, closed] = variants.find(([title]) => title === 'private network');
    const access = (one) => ['Microsoft.Storage/storageAccounts', 'Microsoft.ServiceBus/namespaces'].flatMap((type) => one.of(type).map(({ properties }) => properties.publicNetworkAccess));
    assert.deepEqual(access(plain), ['Enabled', 'Enabled', 'Enabled']);
    assert.deepEqual(access(closed), ['Disabled', 'Disabled', 'Disabled']);
    assert.deepEqual(plain.of('Microsoft.Network/virtualNetworks'), []);
    assert.equal(closed.only('Microsoft.ServiceBus/namespaces').sku.name, 'Premium');

    // Whatever is closed has an endpoint for each of its services that the app talks to, and a name that leads there.
    const endpoints = closed.of('Microsoft.Network/privateEndpoints').flatMap(({ properties }) => properties.privateLinkServiceConnections.map(({ properties: to }) => [to.privateLinkServiceId.split('/').at(-1), ...to.groupIds]));
    const [host, log] = closed.of('Microsoft.Storage/storageAccounts').map(({ name }) => name);
    const bus = closed.only('Microsoft.ServiceBus/namespaces').name;
    assert.deepEqual(endpoints.toSorted(), [[host, 'blob'], [host, 'table'], [log, 'table'], [bus, 'namespace']].toSorted());
    const named = closed.of('Microsoft.Network/privateEndpoints/privateDnsZoneGroups').flatMap(({ properties }) => properties.privateDnsZoneConfigs.map((each) => each.properties.privateDnsZoneId));
    const zones = closed.of('Microsoft.Network/privateDnsZones').map(({ name }) => name.replace(/^\[|\]$/g, ''));
    assert.equal(named.length, endpoints.length);
    for (const id of named) assert.ok(zones.some((zone) => id.includes(zone)), id);
    for (const zone of zones) assert.ok(named.some((id) => id.includes(zone)), zone);
    assert.equal(closed.of('Microsoft.Network/privateDnsZones/virtualNetworkLinks').length, zones.length);

    const { subnets } = closed.only('Microsoft.Network/virtualNetworks').properties;
    assert.equal(subnets.find(({ name }) => name === 'app').properties.delegations[0].properties.serviceName, 'Microsoft.App/environments');
    assert.match(JSON.stringify(closed.only('Microsoft.Web/sites').properties.virtualNetworkSubnetId), /subnets.*app|appSubnetId/);
  });

  test('takes as many requests at once as the templates say: the limits of the host, 100 and 200 where it takes Flex for Consumption, are off', () => {
    const { maxConcurrentRequests, maxOutstandingRequests, dynamicThrottlesEnabled } = JSON.parse(read('host.json')).extensions.http;
    assert.deepEqual([maxConcurrentRequests, maxOutstandingRequests, dynamicThrottlesEnabled], [-1, -1, false]);
    const perInstance = plain.only('Microsoft.Web/sites').properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency;
    const waiters = Number(plain.only('Microsoft.Web/sites/config').properties.Feed__WaitersMax);
    assert.ok(waiters <= perInstance / 2, `${waiters} waiting readers of ${perInstance} requests`);
    assert.match(read('src/Outpost/Setup/OutpostOptions.cs'), new RegExp(`"Feed__WaitersMax", ${waiters},`));
  });

  test('with zoneRedundant has its plan and both accounts in three zones', () => {
    const [, zoned] = variants.find(([title]) => title === 'zone redundant');
    assert.equal(plain.only('Microsoft.Web/serverfarms').properties.zoneRedundant, false);
    assert.equal(zoned.only('Microsoft.Web/serverfarms').properties.zoneRedundant, true);
    assert.deepEqual(zoned.of('Microsoft.Storage/storageAccounts').map(({ sku }) => sku.name), ['Standard_ZRS', 'Standard_ZRS']);
  });

  test('has a limit of telemetry and a budget only where they are asked for', () => {
    const cap = (one) => one.only('Microsoft.OperationalInsights/workspaces').properties.workspaceCapping.dailyQuotaGb;
    assert.equal(cap(plain), -1);
    assert.deepEqual(plain.of('Microsoft.Consumption/budgets'), []);
    const frugal = predict("param dailyQuotaGb = 2\nparam monthlyBudget = 50\nparam budgetStart = '2026-11-01'", { ALERT_EMAIL: 'you@example.com' });
    assert.equal(cap(frugal), 2);
    const { amount, notifications } = frugal.only('Microsoft.Consumption/budgets').properties;
    assert.equal(amount, 50);
    assert.deepEqual(Object.values(notifications).map(({ threshold, contactEmails }) => [threshold, ...contactEmails]), [[80, 'you@example.com'], [100, 'you@example.com']]);
  });

  test('asks for the health of the app from several places, and calls when two of them get no 200', () => {
    const probe = plain.only('Microsoft.Insights/webtests');
    assert.match(JSON.stringify(probe.properties.Request.RequestUrl), /\/api\/health/);
    assert.equal(probe.properties.ValidationRules.ExpectedHttpStatusCode, 200);
    const alarm = plain.of('Microsoft.Insights/metricAlerts').find(({ name }) => name === 'outpost-unavailable');
    assert.equal(alarm.properties.criteria.webTestId, probe.id);
    assert.ok(alarm.properties.criteria.failedLocationCount < probe.properties.Locations.length);
  });

  test('lets operators sign in where an app registration is named', () => {
    const of = (one) => one.only('Microsoft.Web/sites/config').properties;
    assert.deepEqual([of(plain).Operators__Authority, of(plain).Operators__Audience], ['', '']);
    const { Operators__Authority, Operators__Audience, Operators__Role } = of(predict("param operatorsClientId = 'client'"));
    assert.match(Operators__Authority, /^(\[format\('\{0\}\{1\}\/v2\.0'|https:\/\/login\.microsoftonline\.com\/)/);
    assert.deepEqual([Operators__Audience, Operators__Role], ['client', 'Outpost.Operator']);
    assert.match(read('src/Outpost.AzureFunctions/OperatorSignIn.cs'), /RoleDefault = "Outpost\.Operator"/);
  });

  test('is tagged with the environment, and the app with the service that azd deploys', () => {
    const CHILDREN = /^[\w.]+\/\w+\/|^Microsoft\.Authorization\//; // have no tags
    for (const { type, name, tags } of plain.resources.filter((each) => !CHILDREN.test(each.type)))
      assert.equal(tags?.['azd-env-name'], 'test', `${type} ${name}`);
    const service = plain.only('Microsoft.Web/sites').tags['azd-service-name'];
    const [, project] = new RegExp(`^  ${service}:\\n    project: (\\S+)$`, 'm').exec(read('azure.yaml'));
    assert.ok(existsSync(path.join(ROOT, project, 'Functions.csproj')));
  });

  test('lets nobody in by a key or password', () => {
    const accounts = plain.of('Microsoft.Storage/storageAccounts').map(({ properties }) => properties);
    assert.deepEqual(accounts.map((each) => [each.allowSharedKeyAccess, each.allowBlobPublicAccess, each.supportsHttpsTrafficOnly]), Array(2).fill([false, false, true]));
    assert.equal(plain.only('Microsoft.ServiceBus/namespaces').properties.disableLocalAuth, true);
    assert.equal(plain.only('Microsoft.Insights/components').properties.DisableLocalAuth, true);
    const publishing = plain.of('Microsoft.Web/sites/basicPublishingCredentialsPolicies');
    assert.deepEqual(publishing.map(({ name, properties }) => [name.split('/')[1], properties.allow]), [['scm', false], ['ftp', false]]);
    assert.equal(plain.only('Microsoft.Web/sites').properties.httpsOnly, true);
  });

  test('keeps what forwarding relies on: duplicate detection of an hour or more, order, sessions', () => {
    const { requiresDuplicateDetection, supportOrdering, enablePartitioning, duplicateDetectionHistoryTimeWindow } =
      plain.only('Microsoft.ServiceBus/namespaces/topics').properties;
    assert.deepEqual([requiresDuplicateDetection, supportOrdering, enablePartitioning, duplicateDetectionHistoryTimeWindow], [true, true, false, 'PT60M']);
    const { minValue, maxValue } = template.parameters.duplicateDetectionMinutes;
    assert.deepEqual([minValue, maxValue], [60, 10080]);
    const sessions = plain.of('Microsoft.ServiceBus/namespaces/topics/subscriptions').map(({ name, properties }) => [name.split('/')[2], properties.requiresSession]);
    assert.deepEqual(sessions, [['orders', true], ['all', false]]);
  });

  test('sets nothing on the app that Flex Consumption is known to refuse', () => {
    assert.deepEqual(Object.keys(plain.only('Microsoft.Web/sites').properties.siteConfig), ['minTlsVersion']);
    const settings = Object.keys(plain.only('Microsoft.Web/sites/config').properties);
    for (const refused of ['FUNCTIONS_WORKER_RUNTIME', 'FUNCTIONS_EXTENSION_VERSION', 'WEBSITE_RUN_FROM_PACKAGE']) assert.ok(!settings.includes(refused), refused);
  });

  test('has names that fit, also in an environment with the longest name', () => {
    const long = predict('', { AZURE_ENV_NAME: 'e'.repeat(64) });
    for (const { name } of long.of('Microsoft.Storage/storageAccounts')) assert.match(name, /^[a-z0-9]{3,24}$/);
    assert.ok(long.only('Microsoft.Resources/resourceGroups').name.length <= 90);
    assert.match(long.only('Microsoft.ServiceBus/namespaces').name, /^[a-z][a-z0-9-]{5,49}$/);
    assert.match(long.only('Microsoft.Web/sites').name, /^[a-z][a-z0-9-]{1,59}$/);
  });

  test('follows its parameters: Premium, instances that always run, a mail that the alarms write', () => {
    const big = predict(
      "param busTier = 'Premium'\nparam busMessagingUnits = 2\nparam alwaysReadyInstances = 3\nparam alwaysReadyTimers = 1\nparam waitersMax = 200\nparam retentionDays = 30\nparam logRedundancy = 'Standard_GZRS'",
      { ALERT_EMAIL: 'you@example.com' },
    );
    assert.deepEqual(big.only('Microsoft.ServiceBus/namespaces').sku, { name: 'Premium', tier: 'Premium', capacity: 2 });
    const { scaleAndConcurrency } = big.only('Microsoft.Web/sites').properties.functionAppConfig;
    assert.deepEqual(scaleAndConcurrency.alwaysReady, [{ name: 'http', instanceCount: 3 }, { name: 'function:Forward', instanceCount: 1 }]);
    assert.equal(scaleAndConcurrency.triggers.http.perInstanceConcurrency, 250);
    const settings = big.only('Microsoft.Web/sites/config').properties;
    assert.deepEqual([settings.Feed__WaitersMax, settings.Retention__Days], ['200', '30']);
    assert.deepEqual(big.of('Microsoft.Storage/storageAccounts').map(({ sku }) => sku.name), ['Standard_LRS', 'Standard_GZRS']);

    const group = big.only('Microsoft.Insights/actionGroups');
    assert.deepEqual(group.properties.emailReceivers.map(({ emailAddress }) => emailAddress), ['you@example.com']);
    for (const { properties } of big.of('Microsoft.Insights/scheduledQueryRules')) assert.deepEqual(properties.actions.actionGroups, [group.id]);
    for (const { properties } of big.of('Microsoft.Insights/metricAlerts')) assert.deepEqual(properties.actions, [{ actionGroupId: group.id }]);
    assert.deepEqual(plain.of('Microsoft.Insights/actionGroups'), []);
  });
});

describe('The roles', () => {
  for (const [title, deployed] of variants) test(`are those listed here, for the identity of the app (${title})`, () => {
    const given = deployed.of('Microsoft.Authorization/roleAssignments');
    const wanted = Object.values(ROLES).flatMap(([role, count]) => Array(count).fill(role));
    assert.deepEqual(given.map(({ properties }) => properties.roleDefinitionId.split('/').at(-1)).toSorted(), wanted.toSorted());
    const identity = deployed.only('Microsoft.ManagedIdentity/userAssignedIdentities').id;
    for (const { id, name, properties } of given) {
      assert.equal(properties.principalType, 'ServicePrincipal');
      assert.match(properties.principalId, new RegExp(`^\\[reference\\('${identity}', '[\\d-]+'\\)\\.principalId\\]$`));
      // Named by where, who and what: the same deployment twice assigns it once.
      const [, scope] = /^\[extensionResourceId\('([^']+)', 'Microsoft.Authorization\/roleAssignments', guid\(/.exec(id);
      assert.equal(name, `[guid('${scope}', ${properties.principalId.slice(1, -1)}, '${properties.roleDefinitionId}')]`);
      assert.ok(deployed.resources.some((each) => each.id === scope), scope);
    }
  });

  test('are explained in the guide, with what they are for', () => {
    const guide = read('docs/deploy.md');
    for (const role of Object.keys(ROLES)) assert.match(guide, new RegExp(`\\| [^|\\n]*${role}`, 'i'), role);
  });
});
