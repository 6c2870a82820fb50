import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { own, ownerFile } from './owner.mjs';

/**
 * Starts only Azurite's table service. Azurite's own command saves only when interrupted from a
 * keyboard, not on SIGTERM, and every five seconds while running. This one saves on both signals, and as often as is cheap.
 */
const require = createRequire(import.meta.url);

const ACCOUNT = 'devstoreaccount1';
/** Azurite's documented key, the same everywhere. */
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const DATABASE = '__azurite_db_table__.json';
const EXIT_UNSAVED = 1;
const EXIT_UNUSABLE = 2;
/** Longer than a client keeps an unused connection, so that the server never hangs up first. */
const KEEP_ALIVE_SECONDS = 120;
/** A save writes the whole database and blocks everything else, so saves may take at most this share of the time. */
const SAVE_SHARE = 0.1;
const SAVE_MS_MIN = 250;

function unusable(message) {
  process.stderr.write(`Azurite cannot run: ${message}\n`);
  process.exit(EXIT_UNUSABLE);
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '10002' },
        location: { type: 'string' },
        'in-memory': { type: 'boolean', default: false },
        'exit-with-stdin': { type: 'boolean', default: false },
      },
    });
    const port = Number(values.port);
    if (!/^\d+$/.test(values.port) || port > 65_535)
      return unusable(`--port is ${JSON.stringify(values.port)}; allowed: 0 to 65535; 0 is any free one`);
    if (values['in-memory'] === (values.location !== undefined))
      return unusable('give either --location DIR or --in-memory');
    return { ...values, port };
  } catch (error) {
    return unusable(`${error.message}; allowed: --port, --location, --in-memory, --exit-with-stdin`);
  }
}

/** Refuses a second process, because two that save to one file lose what the other wrote. */
function use(directory) {
  try {
    mkdirSync(directory, { recursive: true });
    const owner = own(directory);
    if (owner !== undefined)
      unusable(`--location ${directory} is used by process ${owner}; if that is no Azurite, delete ${ownerFile(directory)}`);
  } catch (error) {
    unusable(`--location ${directory} cannot be used as a folder (${error.message})`);
  }
  process.on('exit', () => rmSync(ownerFile(directory), { force: true }));
}

/** A save clears the marks of what changed before it writes, also when the write then fails. */
function markUnsaved(database) {
  for (const collection of database.collections) collection.dirty = true;
}

function saved(database) {
  return new Promise((resolved, failed) => {
    database.saveDatabase((error) => (error ? failed(error) : resolved()));
  });
}

/** Saves whenever something has changed, resting in proportion to how long the last save took. */
function saveOften(database) {
  database.autosaveDisable();
  const next = (tookMs) =>
    setTimeout(
      () => {
        if (!database.autosaveDirty()) return next(0);
        const started = performance.now();
        return database.saveDatabase((error) => {
          if (error) {
            process.stderr.write(`Azurite: could not save (${error.message}); it will be tried again\n`);
            markUnsaved(database);
          }
          next(performance.now() - started);
        });
      },
      Math.max(SAVE_MS_MIN, tookMs / SAVE_SHARE),
    ).unref();
  next(0);
}

/**
 * Azurite looks rows up by PartitionKey first and then scans that partition, so each insert costs time in proportion
 * to the partition's size. So both keys are indexed; the row key tells the rows apart.
 */
function lookUpByRowKeyFirst() {
  const { Collection } = createRequire(require.resolve('azurite/package.json'))('lokijs');
  const { findOne } = Collection.prototype;
  Collection.prototype.findOne = function findOneByRowKeyFirst(query) {
    const byKeys = query?.RowKey !== undefined && query.PartitionKey !== undefined;
    return findOne.call(this, byKeys ? { RowKey: query.RowKey, ...query } : query);
  };
}

async function main() {
  const { port, location, 'in-memory': inMemory, 'exit-with-stdin': exitWithStdin } = options();
  delete process.env.AZURITE_ACCOUNTS; // would replace the account whose connection string is printed below
  const TableConfiguration = require('azurite/dist/src/table/TableConfiguration.js').default;
  const TableServer = require('azurite/dist/src/table/TableServer.js').default;
  const { AzuriteTelemetryClient } = require('azurite/dist/src/common/Telemetry.js');
  AzuriteTelemetryClient.enableTelemetry = false;
  lookUpByRowKeyFirst();

  const directory = resolve(location ?? '.');
  if (!inMemory) use(directory);
  const skipApiVersionCheck = true;
  const server = new TableServer(
    new TableConfiguration(
      '127.0.0.1',
      port,
      KEEP_ALIVE_SECONDS,
      join(directory, DATABASE),
      false,
      false,
      undefined,
      undefined,
      false,
      skipApiVersionCheck,
      '',
      '',
      '',
      undefined,
      false,
      inMemory,
    ),
  );
  try {
    await server.start();
  } catch (error) {
    unusable(
      error.code === 'EADDRINUSE'
        ? `port ${port} is taken; choose another with --port, or 0 for any free one`
        : error.message,
    );
  }
  const { db: database } = server.metadataStore;
  if (!inMemory) saveOften(database);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    try {
      await server.close();
      // A save that was under way has cleared the marks by which close() sees that something is left to save.
      await new Promise((resolved) => {
        database.throttledSaveDrain(resolved);
      });
      if (!inMemory && database.autosaveDirty()) await saved(database); // that save failed
    } catch (error) {
      process.stderr.write(`Azurite: could not save (${error.message}); what was written since the last save is lost\n`);
      process.exit(EXIT_UNSAVED);
    }
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (exitWithStdin) process.stdin.on('end', stop).on('error', stop).resume();

  const actual = server.httpServer.address().port;
  console.log(
    `Tables: DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};` +
      `TableEndpoint=http://127.0.0.1:${actual}/${ACCOUNT};`,
  );
}

main().catch((error) => unusable(error.stack));
