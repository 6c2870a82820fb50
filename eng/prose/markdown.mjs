// What markdownlint finds in a page. A rule that is off says why.

import { lint } from 'markdownlint/sync';

const config = {
  default: true,
  'line-length': false, // tables and links are one line each
  'table-column-style': false, // aligned or not, a table reads the same
  'no-inline-html': { allowed_elements: ['a', 'br', 'img', 'picture', 'source', 'details', 'summary'] },
  'no-duplicate-heading': { siblings_only: true },
};

export function markdownProblems(file, text) {
  return lint({ strings: { [file]: text }, config })[file].map(({ lineNumber, ruleDescription, errorDetail, ruleNames }) =>
    `${file}:${lineNumber}: ${ruleDescription}${errorDetail ? ` (${errorDetail})` : ''} [${ruleNames[0]}]`);
}
