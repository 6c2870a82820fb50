import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

/** Where browsers of Chromium's family are, by platform; the first that is there is used. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
const PLACES = {
  linux: ['/snap/bin/chromium'],
  darwin: ['Chromium', 'Google Chrome', 'Microsoft Edge'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`),
  win32: ['ProgramFiles', 'ProgramFiles(x86)', 'LocalAppData'].map((name) => process.env[name]).filter(Boolean).flatMap((folder) => [
    join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
    join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
  ]),
};
const UNPACKED = fileURLToPath(new URL('./node_modules/.chromium', import.meta.url));

export const WITHOUT = 'There is no browser, and none could be brought. Install Chromium, Chrome or Edge, or set OUTPOST_CHROMIUM to its path.';

/** The path of a browser on this machine, if it has one. */
export function installed() {
  const { OUTPOST_CHROMIUM: told, PATH = '' } = process.env;
  if (told) {
    if (existsSync(told)) return told;
    throw new Error(`OUTPOST_CHROMIUM is ${told}, and there is no such file.`);
  }
  const inPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...inPath, ...(PLACES[process.platform] ?? [])].find((file) => existsSync(file));
}

/**
 * The browser in the npm package beside this file, which dev.cs installs on a machine without a browser. The package
 * is for Linux on x64. It brings the libraries that a small distribution lacks.
 */
async function brought() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const before = process.env.TMPDIR;
  mkdirSync(UNPACKED, { recursive: true });
  process.env.TMPDIR = UNPACKED; // the package unpacks there; the system's folder belongs to everybody
  try {
    const { default: pack, inflate } = await import('@sparticuz/chromium');
    const executablePath = await pack.executablePath();
    await inflate(fileURLToPath(new URL('./node_modules/@sparticuz/chromium/bin/al2023.tar.br', import.meta.url)));
    return { executablePath, libraries: join(UNPACKED, 'al2023', 'lib') };
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

/** A browser that talks to nobody but the pages it is shown, with a profile of its own; undefined where there is none. */
export async function launch() {
  const found = installed();
  if (found) return start(found);
  const pack = await brought();
  if (!pack) return undefined;
  // The machine's own libraries come first: the brought ones are for a machine that has none.
  return start(pack.executablePath).catch(() => start(pack.executablePath, { ...process.env, LD_LIBRARY_PATH: pack.libraries }));
}

const start = (executablePath, env = process.env) => chromium.launch({
  executablePath,
  env,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
});

// dev.cs asks: is a browser installed here?
if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = installed() ? 0 : 1;
