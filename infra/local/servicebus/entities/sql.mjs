import { SYSTEM_PROPERTIES } from './system-properties.mjs';

/**
 * The supported part of Service Bus SQL filters: comparisons of a property with a literal, IN, IS NULL, AND, OR,
 * NOT, parentheses. `sys.` names a system property; `user.` or no prefix names an application property. An unknown property
 * makes a comparison unknown, and a message with an unknown result is not accepted.
 */
export function compileSql(expression) {
  const tokens = tokenize(expression);
  let position = 0;
  const fail = (what) => {
    throw new SyntaxError(
      `SqlFilter '${expression}': ${what}. Supported: property = | <> | < | <= | > | >= literal, ` +
        '[NOT] IN (…), IS [NOT] NULL, AND, OR, NOT, parentheses',
    );
  };
  const peek = () => tokens[position];
  const accept = (word) => {
    if (peek()?.type !== 'literal' && peek()?.text.toUpperCase() === word) return tokens[position++];
    return undefined;
  };
  const expect = (word) => accept(word) ?? fail(`expected ${word} at '${peek()?.text ?? 'the end'}'`);

  const either = () => {
    let left = both();
    while (accept('OR'))
      left = (
        (a, b) => (m) =>
          or(a(m), b(m))
      )(left, both());
    return left;
  };
  const both = () => {
    let left = not();
    while (accept('AND'))
      left = (
        (a, b) => (m) =>
          and(a(m), b(m))
      )(left, not());
    return left;
  };
  const not = () => {
    if (!accept('NOT')) return primary();
    const inner = not();
    return (m) => negate(inner(m));
  };
  const primary = () => {
    if (accept('(')) {
      const inner = either();
      expect(')');
      return inner;
    }
    const left = operand();
    if (accept('IS')) {
      const negated = Boolean(accept('NOT'));
      expect('NULL');
      return (m) => (left(m) === undefined) !== negated;
    }
    const negated = Boolean(accept('NOT'));
    if (accept('IN')) return membership(left, negated);
    const operator = COMPARE[peek()?.text];
    if (negated || !operator) fail(`unexpected '${peek()?.text ?? 'end'}'`);
    position += 1;
    const right = operand();
    return (m) => compare(left(m), right(m), operator);
  };
  const membership = (left, negated) => {
    expect('(');
    const values = [operand()];
    while (accept(',')) values.push(operand());
    expect(')');
    return (m) => {
      const value = left(m);
      return value === undefined ? undefined : values.some((each) => each(m) === value) !== negated;
    };
  };
  const operand = () => {
    const token = tokens[position++];
    if (token?.type === 'literal') return () => token.value;
    if (token?.type !== 'name') fail(`unexpected '${token?.text ?? 'end'}'`);
    return property(token.text, fail);
  };

  const accepts = either();
  if (position < tokens.length) fail(`unexpected '${peek().text}'`);
  return (message) => accepts(message) === true;
}

const COMPARE = {
  '=': (a, b) => a === b,
  '<>': (a, b) => a !== b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function compare(a, b, operator) {
  return a === undefined || b === undefined ? undefined : operator(a, b);
}

// three-valued logic: undefined is unknown
const and = (a, b) => (a === false || b === false ? false : a && b);
const or = (a, b) => (a === true || b === true ? true : a === undefined || b === undefined ? undefined : false);
const negate = (a) => (a === undefined ? undefined : !a);

function property(text, fail) {
  const [, scope, name] = /^(?:(sys|user)\.)?(.+)$/i.exec(text);
  const key = name.replace(/^\[(.*)\]$/, '$1');
  if (scope?.toLowerCase() !== 'sys') return (message) => message.applicationProperties.get(key) ?? undefined;
  const field = SYSTEM_PROPERTIES[key.toLowerCase()];
  if (!field) fail(`unknown system property '${key}'`);
  return (message) => message[field];
}

function tokenize(expression) {
  const pattern =
    /\s*(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)|((?:[A-Za-z_]\w*\.)?(?:\[[^\]]+\]|[A-Za-z_][\w-]*))|(<>|!=|[<>]=?|[=(),]))/y;
  const tokens = [];
  const text = expression.trimEnd();
  while (pattern.lastIndex < text.length) {
    const start = pattern.lastIndex;
    const match = pattern.exec(text);
    if (!match) throw new SyntaxError(`SqlFilter '${expression}': cannot read '${text.slice(start)}'`);
    const [, string, number, name, symbol] = match;
    if (string !== undefined)
      tokens.push({ type: 'literal', text: `'${string}'`, value: string.replaceAll("''", "'") });
    else if (number !== undefined) tokens.push({ type: 'literal', text: number, value: Number(number) });
    else if (/^(true|false)$/i.test(name ?? '')) tokens.push({ type: 'literal', text: name, value: /^t/i.test(name) });
    else tokens.push({ type: name === undefined ? 'symbol' : 'name', text: name ?? symbol });
  }
  return tokens;
}
