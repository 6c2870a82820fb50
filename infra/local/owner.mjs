import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The file in a data folder that names the process which uses it. */
export const ownerFile = (directory) => join(directory, 'owner.pid');

/** Makes this process the folder's owner. Returns another process that owns it already, or undefined. */
export function own(directory) {
  const path = ownerFile(directory);
  const owner = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  if (owner > 0 && owner !== process.pid && isRunning(owner)) return owner;
  writeFileSync(path, String(process.pid));
  return undefined;
}

/** Whether this program runs under that process id, which any program may have after a restart of the machine. */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  const commandLine = `/proc/${pid}/cmdline`;
  return !existsSync(commandLine) || readFileSync(commandLine, 'utf8').includes(basename(process.argv[1]));
}
