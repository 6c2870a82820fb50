import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MAIN, PARAMETERS, ROOT } from './files.mjs';

// Microsoft's own compiler, from a package. Each test file restores it in a folder of its own: they run side by side.
const folder = mkdtempSync(path.join(tmpdir(), 'outpost-bicep-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const PROJECT = path.join(import.meta.dirname, 'Bicep.proj');
const OPTIONS = ['-nodeReuse:false', `-p:MSBuildProjectExtensionsPath=${folder}/`];

function run(program, args, env) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, env: { ...process.env, ...env } });
  if (error) throw error;
  return { status, stdout, stderr };
}

function must(program, args, env) {
  const { status, stdout, stderr } = run(program, args, env);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

must('dotnet', ['restore', PROJECT, ...OPTIONS]);
const compiler = must('dotnet', ['msbuild', PROJECT, ...OPTIONS, '-getProperty:BicepPath']).trim();

/** What azd sets, and what tests set in its place. */
const AZD = { AZURE_ENV_NAME: 'test', AZURE_LOCATION: 'westeurope', ALERT_EMAIL: '', ACTION_GROUP_ID: '' };

/** The template as it goes to Azure, and all that the compiler and its linter say about it. */
export function compile(file = MAIN) {
  const { stdout, stderr } = run(compiler, ['build', path.join(ROOT, file), '--stdout']);
  return { said: stderr, template: stdout ? JSON.parse(stdout) : undefined };
}

/** The parameters as azd sends them, by name, and all that the compiler says about them. */
export function parameters(env) {
  const { stdout, stderr } = run(compiler, ['build-params', path.join(ROOT, PARAMETERS), '--stdout'], { ...AZD, ...env });
  const built = stdout ? JSON.parse(JSON.parse(stdout).parametersJson).parameters : {};
  return { said: stderr, values: Object.fromEntries(Object.entries(built).map(([name, { value }]) => [name, value])) };
}

/**
 * What Azure would have after a deployment, as the compiler predicts it: expressions are worked out but for those that
 * only Azure can answer. Given: more lines of the file of parameters, and the environment.
 */
export function predict(lines = '', env = {}) {
  const copy = path.join(mkdtempSync(path.join(folder, 'run-')), 'main.bicepparam');
  const relative = path.relative(path.dirname(copy), path.join(ROOT, MAIN)).replaceAll(path.sep, '/');
  const text = readFileSync(path.join(ROOT, PARAMETERS), 'utf8').replace("using 'main.bicep'", `using '${relative}'`);
  writeFileSync(copy, `${text}\n${lines}\n`);
  const SUBSCRIPTION = '00000000-0000-0000-0000-000000000001';
  must(compiler, ['snapshot', copy, '--mode', 'overwrite', '--subscription-id', SUBSCRIPTION, '--location', 'westeurope'], { ...AZD, ...env });
  const { predictedResources, outputs, diagnostics } = JSON.parse(readFileSync(copy.replace('.bicepparam', '.snapshot.json'), 'utf8'));
  return {
    outputs,
    diagnostics,
    resources: predictedResources,
    of: (type) => predictedResources.filter((each) => each.type === type),
    only: (type) => {
      const found = predictedResources.filter((each) => each.type === type);
      if (found.length !== 1) throw new Error(`${found.length} resources are ${type}`);
      return found[0];
    },
  };
}
