import { parseArgs } from 'node:util';
import { ConfigError, readConfig } from './config.mjs';
import { Emulator } from './emulator.mjs';
import { Journal, JournalError } from './journal.mjs';
import { KEY, KEY_NAME } from './sas.mjs';

const EXIT_UNUSABLE = 2;

function options() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        port: { type: 'string', default: '5672' },
        host: { type: 'string', default: '127.0.0.1' },
        config: { type: 'string' },
        data: { type: 'string' },
        'exit-with-stdin': { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new ConfigError(
      'argument',
      process.argv.slice(2).join(' '),
      `--port, --host, --config, --data, --exit-with-stdin (${error.message})`,
    );
  }
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    throw new ConfigError('--port', values.port, '0 to 65535; 0 is any free one');
  if (!/^(127(\.\d{1,3}){3}|localhost|::1)$/.test(values.host)) {
    throw new ConfigError(
      '--host',
      values.host,
      'a loopback address: the key is public, so nobody else may reach this',
    );
  }
  return { ...values, port };
}

function unusable(message) {
  // the words differ from the line with the connection string, for programs that read both streams as one
  process.stderr.write(`Service Bus emulator cannot run: ${message}\n`);
  process.exit(EXIT_UNUSABLE);
}

/** Entities in the data directory may forbid what the configuration now asks for. */
function define(broker, definitions, config) {
  for (const definition of definitions) {
    try {
      broker.define(definition);
    } catch (error) {
      throw new ConfigError(
        `${config}: ${definition.name}`,
        definition.kind,
        `what fits the data directory (${error.message})`,
      );
    }
  }
}

async function main() {
  const { port, host, config, data, 'exit-with-stdin': exitWithStdin } = options();
  const definitions = config ? readConfig(config) : [];
  const emulator = new Emulator();
  const journal = data === undefined ? undefined : new Journal(data, emulator.broker);
  define(emulator.broker, definitions, config);

  const stop = () => {
    emulator.close();
    journal?.close();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (exitWithStdin) process.stdin.on('end', stop).on('error', stop).resume();

  let actual;
  try {
    actual = await emulator.listen(port, host);
  } catch (error) {
    unusable(
      error.code === 'EADDRINUSE'
        ? `port ${port} is taken; choose another with --port, or 0 for any free one`
        : error.message,
    );
  }
  const address = host.includes(':') ? `[${host}]` : host;
  console.log(
    `Service Bus emulator: Endpoint=sb://${address}:${actual};` +
      `SharedAccessKeyName=${KEY_NAME};SharedAccessKey=${KEY};UseDevelopmentEmulator=true;`,
  );
}

main().catch((error) => {
  if (error instanceof ConfigError || error instanceof JournalError) unusable(error.message);
  unusable(error.stack);
});
