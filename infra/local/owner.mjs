import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The file in a data folder that names the process which uses it. */
export const ownerFile = (directory) => join(directory, 'owner.pid');

/** Makes this process the one that uses the folder; answers another that does so already, or undefined. */
export function own(directory) {
  const path = ownerFile(directory);
  const owner = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  if (owner > 0 && owner !== process.pid && isRunning(owner)) return owner;
  writeFileSync(path, String(process.pid));
  return undefined;
}

/** Whether this very program runs under that number, which after a restart of the machine may be anybody's. */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  const commandLine = `/proc/${pid}/cmdline`;
  return !existsSync(commandLine) || readFileSync(commandLine, 'utf8').includes(basename(process.argv[1]));
}
