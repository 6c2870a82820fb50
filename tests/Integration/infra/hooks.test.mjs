import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT, read } from './files.mjs';

// The program that azd runs, as azd runs it: its environment, an azd that has a token, and a Resource Manager over HTTP.

const SUBSCRIPTION = '00000000-0000-0000-0000-000000000001';
const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-shop`;
const folder = mkdtempSync(path.join(tmpdir(), 'outpost-azd-'));
const azd = path.join(folder, 'azd');
writeFileSync(azd, `#!/bin/sh\n[ "$*" = "auth token --output json" ] || exit 1\necho '{"token":"t0k","expiresOn":"2026-01-01T00:00:00Z"}'\n`);
chmodSync(azd, 0o755);

const asked = [];
let answer;
const manager = createServer((request, response) => {
  asked.push({ url: request.url, authorization: request.headers.authorization });
  const { status = 200, value } = answer;
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ value }));
});
before(() => new Promise((resolve) => manager.listen(0, '127.0.0.1', resolve)));
after(() => {
  manager.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Ends with the exit code and what was said; a program that goes on longer is ended, and has no exit code. */
function hook(command, environment, { secondsMax = 120 } = {}) {
  asked.length = 0;
  const env = {
    ...process.env, PATH: `${folder}${path.delimiter}${process.env.PATH}`,
    AZURE_SUBSCRIPTION_ID: SUBSCRIPTION, AZURE_LOCATION: '', RESOURCE_GROUP: '',
    AZURE_RESOURCE_MANAGER: `http://127.0.0.1:${manager.address().port}`, ...environment,
  };
  return new Promise((resolve, reject) => {
    const child = spawn('dotnet', ['run', 'infra/hooks.cs', command], { cwd: ROOT, env, detached: true });
    let said = '';
    const end = () => process.kill(-child.pid, 'SIGKILL');
    const timer = setTimeout(end, secondsMax * 1000);
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => {
      said += data;
      if (/waiting \d+ s/.test(said)) end();
    });
    child.on('error', reject).on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, said });
    });
  });
}

const regions = (...names) => ({ value: names.map((name) => ({ name })) });
const role = (secondsAgo, scope = `${GROUP}/providers/Microsoft.Storage/storageAccounts/sthost`, principalType = 'ServicePrincipal') =>
  ({ properties: { principalType, scope, createdOn: new Date(Date.now() - secondsAgo * 1000).toISOString() } });

describe('What azd runs', () => {
  test('is there on every system, and azd has to be new enough', () => {
    const yaml = read('azure.yaml');
    for (const [event, command] of [['preprovision', 'region'], ['postprovision', 'roles']]) {
      const [, windows, posix] = new RegExp(`^  ${event}:\\n    windows: \\{ shell: pwsh, run: (.+) \\}\\n    posix: \\{ shell: sh, run: (.+) \\}$`, 'm').exec(yaml);
      assert.deepEqual([windows, posix], Array(2).fill(`dotnet run infra/hooks.cs ${command}`));
    }
    assert.match(yaml, /^requiredVersions:\n(  #.*\n)*  azd: ">= \d+\.\d+\.\d+"$/m);
  });

  test('refuses a region without Flex Consumption and names those that have it', async () => {
    answer = regions('East US 2', 'West Europe');
    const { status, said } = await hook('region', { AZURE_LOCATION: 'westcentralus' });
    assert.equal(status, 1, said);
    assert.match(said, /'westcentralus' has no Flex Consumption\. Regions that have: eastus2, westeurope\./);
    const [{ url, authorization }] = asked;
    assert.equal(authorization, 'Bearer t0k');
    assert.equal(url.split('&')[0], `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Web/geoRegions?sku=FlexConsumption`);
  });

  test('lets a region through that has it', async () => {
    answer = regions('East US 2', 'West Europe');
    assert.deepEqual(await hook('region', { AZURE_LOCATION: 'eastus2' }), { status: 0, said: '' });
  });

  test('stops nothing when it cannot ask', async () => {
    answer = { status: 403 };
    const refused = await hook('region', { AZURE_LOCATION: 'eastus2' });
    assert.equal(refused.status, 0);
    assert.match(refused.said, /^region not checked: .*403/);
    const early = await hook('region', { AZURE_SUBSCRIPTION_ID: '' });
    assert.deepEqual([early.status, asked.length], [0, 0]);
  });

  test('waits for roles that were given just now, and not for old ones, nor for those of people or of wider scopes', async () => {
    answer = { value: [role(600), role(20), role(1, GROUP.slice(0, -8)), role(1, undefined, 'User')] };
    const { said } = await hook('roles', { RESOURCE_GROUP: 'rg-shop' });
    const [, seconds] = /waiting (\d+) s/.exec(said);
    assert.ok(seconds > 60 && seconds <= 160, said);

    answer = { value: [role(600), role(200)] };
    assert.deepEqual(await hook('roles', { RESOURCE_GROUP: 'rg-shop' }), { status: 0, said: '' });
  });
});
