import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
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

const HOW = 'The browser tests need Chromium, Chrome or Edge: install one (Debian, Ubuntu: apt-get install -y --no-install-recommends chromium), or set OUTPOST_CHROMIUM to its path.';

/** One line, no stack: it is about the machine. */
function missing(why = '') {
  process.stderr.write(`${why}${HOW}\n`);
  return process.exit(1);
}

function find() {
  const { OUTPOST_CHROMIUM: told, PATH = '' } = process.env;
  if (told) {
    if (existsSync(told)) return told;
    return missing(`OUTPOST_CHROMIUM is ${told}, and there is no such file. `);
  }
  const inPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const found = [...inPath, ...(PLACES[process.platform] ?? [])].find((file) => existsSync(file));
  return found ?? missing();
}

/** A browser that talks to nobody but the pages it is shown, with a profile of its own that goes with it. */
export const launch = () => chromium.launch({
  executablePath: find(),
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
});
