import { compileSql } from './sql.mjs';

/**
 * @param {{name: string, correlation?: object, sql?: string}[]} rules
 * @returns {(message: object) => boolean} without rules everything is accepted, as by a new subscription's default rule
 */
export function compileRules(rules) {
  if (rules.length === 0) return () => true;
  const filters = rules.map((rule) => (rule.sql === undefined ? correlation(rule.correlation) : compileSql(rule.sql)));
  return (message) => filters.some((accepts) => accepts(message));
}

/** Accepts a message whose named properties are all equal. */
function correlation({ system = {}, properties = {} }) {
  const systemPairs = Object.entries(system);
  const propertyPairs = Object.entries(properties);
  return (message) =>
    systemPairs.every(([name, value]) => message[name] === value) &&
    (propertyPairs.length === 0 || hasProperties(message.applicationProperties, propertyPairs));
}

function hasProperties(actual, pairs) {
  return pairs.every(([name, value]) => actual.get(name) === value);
}
