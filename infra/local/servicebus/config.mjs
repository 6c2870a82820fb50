import { readFileSync } from 'node:fs';
import { compileRules } from './entities/rules.mjs';
import { SYSTEM_PROPERTIES } from './entities/system-properties.mjs';

/** A setting that cannot be used. The message names the field, the value and what is allowed. */
export class ConfigError extends Error {
  constructor(field, value, allowed) {
    super(`${field} is ${value === undefined ? 'missing' : JSON.stringify(value)}; allowed: ${allowed}`);
  }
}

const NAME = /^[A-Za-z0-9._-]{1,50}$/;
const DURATION = /^P(?!$)(?:(\d+)D)?(?:T(?!$)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
/** A longer duration means "never". The service's own largest TimeSpan is far longer. */
const NEVER_MS = 100 * 365 * 86_400_000;

/** Reads the official emulator's Config.json. Returns the definitions of all entities in it. */
export function readConfig(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError('--config', path, `a readable file (${error.code})`);
  }
  let config;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new ConfigError('--config', path, `a JSON file (${error.message})`);
  }
  const namespaces = list(config?.UserConfig?.Namespaces, 'UserConfig.Namespaces');
  const definitions = namespaces.flatMap((namespace, n) => {
    const at = `UserConfig.Namespaces[${n}]`;
    return [
      ...list(namespace.Topics ?? [], `${at}.Topics`).map((item, i) => topicDefinition(item, `${at}.Topics[${i}]`)),
      ...list(namespace.Queues ?? [], `${at}.Queues`).map((item, i) => queueDefinition(item, `${at}.Queues[${i}]`)),
    ];
  });
  unique(definitions, 'UserConfig.Namespaces[].Topics[] and Queues[]');
  return definitions;
}

/** One Topics[] or Queues[] item, told apart by whether it has Subscriptions. */
export function entityDefinition(item, at = 'body') {
  object(item, at);
  return item.Subscriptions === undefined ? queueDefinition(item, at) : topicDefinition(item, at);
}

function topicDefinition(item, at) {
  const properties = object(item.Properties ?? {}, `${at}.Properties`);
  const subscriptions = list(item.Subscriptions ?? [], `${at}.Subscriptions`).map((subscription, i) => {
    const where = `${at}.Subscriptions[${i}]`;
    return {
      name: name(subscription.Name, `${where}.Name`),
      ...receiving(object(subscription.Properties ?? {}, `${where}.Properties`), `${where}.Properties`),
      rules: rules(subscription.Rules ?? [], `${where}.Rules`),
    };
  });
  unique(subscriptions, `${at}.Subscriptions`);
  return {
    kind: 'topic',
    name: name(item.Name, `${at}.Name`),
    ...sending(properties, `${at}.Properties`),
    subscriptions,
  };
}

function queueDefinition(item, at) {
  const properties = object(item.Properties ?? {}, `${at}.Properties`);
  return {
    kind: 'queue',
    name: name(item.Name, `${at}.Name`),
    ...receiving(properties, `${at}.Properties`),
    ...sending(properties, `${at}.Properties`),
  };
}

function sending(properties, at) {
  const window = duration(
    properties.DuplicateDetectionHistoryTimeWindow,
    `${at}.DuplicateDetectionHistoryTimeWindow`,
    600_000,
  );
  return {
    ttlMs: duration(properties.DefaultMessageTimeToLive, `${at}.DefaultMessageTimeToLive`, null),
    dedupeMs: flag(properties.RequiresDuplicateDetection, `${at}.RequiresDuplicateDetection`)
      ? (window ?? NEVER_MS)
      : 0,
    maxMessageBytes:
      1024 * whole(properties.MaxMessageSizeInKilobytes, `${at}.MaxMessageSizeInKilobytes`, 256, 1, 102_400),
    maxTotalBytes: 1048576 * whole(properties.MaxSizeInMegabytes, `${at}.MaxSizeInMegabytes`, 1024, 1, 81_920),
  };
}

function receiving(properties, at) {
  for (const unsupported of ['ForwardTo', 'ForwardDeadLetteredMessagesTo']) {
    if (properties[unsupported])
      throw new ConfigError(`${at}.${unsupported}`, properties[unsupported], 'nothing: forwarding is not supported');
  }
  return {
    ttlMs: duration(properties.DefaultMessageTimeToLive, `${at}.DefaultMessageTimeToLive`, null),
    lockMs: duration(properties.LockDuration, `${at}.LockDuration`, 60_000) ?? 300_000,
    maxDeliveryCount: whole(properties.MaxDeliveryCount, `${at}.MaxDeliveryCount`, 10, 1, 2000),
    requiresSession: flag(properties.RequiresSession, `${at}.RequiresSession`),
    deadLetterOnExpiration: flag(properties.DeadLetteringOnMessageExpiration, `${at}.DeadLetteringOnMessageExpiration`),
  };
}

function rules(items, at) {
  return list(items, at).map((item, i) => {
    const where = `${at}[${i}]`;
    const properties = object(item.Properties ?? {}, `${where}.Properties`);
    if (properties.Action?.SqlExpression) {
      throw new ConfigError(`${where}.Properties.Action`, properties.Action, 'nothing: rule actions are not supported');
    }
    const rule = { name: String(item.Name ?? `rule${i}`), ...filter(properties, `${where}.Properties`) };
    try {
      compileRules([rule]);
    } catch (error) {
      throw new ConfigError(`${where}.Properties.SqlFilter.SqlExpression`, rule.sql, error.message);
    }
    return rule;
  });
}

function filter(properties, at) {
  const type = properties.FilterType ?? (properties.SqlFilter ? 'Sql' : 'Correlation');
  if (type === 'Sql') {
    const expression = properties.SqlFilter?.SqlExpression ?? '1=1';
    if (typeof expression !== 'string') throw new ConfigError(`${at}.SqlFilter.SqlExpression`, expression, 'text');
    return { sql: expression };
  }
  if (type !== 'Correlation') throw new ConfigError(`${at}.FilterType`, type, '"Correlation" or "Sql"');
  const given = object(properties.CorrelationFilter ?? {}, `${at}.CorrelationFilter`);
  const system = {};
  for (const [key, value] of Object.entries(given)) {
    if (key === 'Properties') continue;
    const field = SYSTEM_PROPERTIES[key.toLowerCase()];
    if (!field)
      throw new ConfigError(
        `${at}.CorrelationFilter`,
        key,
        'ContentType, CorrelationId, Label, MessageId, ReplyTo, ReplyToSessionId, SessionId, To, Properties',
      );
    system[field] = String(value);
  }
  return { correlation: { system, properties: object(given.Properties ?? {}, `${at}.CorrelationFilter.Properties`) } };
}

/** ISO 8601 to milliseconds; null is "never". */
function duration(value, field, fallback) {
  if (value === undefined || value === null || value === '') return fallback;
  const match = typeof value === 'string' ? DURATION.exec(value) : null;
  if (!match) throw new ConfigError(field, value, 'an ISO 8601 duration such as "PT1M" or "P1DT12H"');
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  const ms = Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
  if (ms <= 0) throw new ConfigError(field, value, 'a duration above zero');
  return ms > NEVER_MS ? null : ms;
}

function whole(value, field, fallback, least, most) {
  if (value === undefined || value === null) return fallback;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ConfigError(field, value, `a whole number from ${least} to ${most}`);
}

function flag(value, field) {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw new ConfigError(field, value, 'true or false');
}

function name(value, field) {
  if (typeof value === 'string' && NAME.test(value)) return value;
  throw new ConfigError(field, value, '1 to 50 of A-Z, a-z, 0-9, ".", "_", "-"');
}

function list(value, field) {
  if (Array.isArray(value)) return value;
  throw new ConfigError(field, value, 'a list');
}

function object(value, field) {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value;
  throw new ConfigError(field, value, 'an object');
}

function unique(items, field) {
  const seen = new Set();
  for (const { name: each } of items) {
    if (seen.has(each.toLowerCase())) throw new ConfigError(field, each, 'each name once');
    seen.add(each.toLowerCase());
  }
}
