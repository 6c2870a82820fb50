// Lints the OpenAPI document with Redocly's rules, as a library: nothing is fetched, nothing is reported anywhere.
// node lint.mjs URL
import { createConfig, lintFromString } from '@redocly/openapi-core';

const [url] = process.argv.slice(2);
const config = await createConfig({
  extends: ['recommended-strict'],
  // Health and the document itself take no key and nothing that could be wrong.
  rules: { 'operation-4xx-response': 'off' },
});
const problems = await lintFromString({ source: await (await fetch(url)).text(), absoluteRef: url, config });
for (const { ruleId, message, location } of problems) console.log(`${ruleId}: ${message} ${location.map((at) => at.pointer).join(' ')}`);
process.exitCode = problems.length === 0 ? 0 : 1;
