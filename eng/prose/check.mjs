// Reads the words of this repository: node eng/prose/check.mjs LIST, a file that names one file a line.
// Prints one problem a line and ends with 1 if there is any.
// dev.cs check runs it; the rules are in CONTRIBUTING.md.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { linkProblems } from './links.mjs';
import { markdownProblems } from './markdown.mjs';
import { parse } from './pages.mjs';
import { spellingProblems } from './spelling.mjs';
import { lengthProblems, wordProblemsInPage, wordProblemsInSource } from './style.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const [list] = process.argv.slice(2);
// The rules themselves and their tests name what they forbid.
const files = lines(list).filter((file) => !/^(eng|tests\/Integration)\/prose\//.test(file));

const pages = files.filter((file) => file.endsWith('.md'));
const sources = files.filter((file) => /\.(cs|bicep|mjs|js|html|css|kql|ya?ml)$/.test(file));
const problems = [];
const anchors = new Map();
for (const file of pages) {
  const tree = parse(read(file));
  problems.push(...linkProblems(root, file, tree, anchors));
  problems.push(
    ...lengthProblems(file, tree), ...wordProblemsInPage(file, tree), ...markdownProblems(file, read(file)));
}

for (const file of sources) {
  problems.push(...wordProblemsInSource(file, read(file)));
}

problems.push(...await spellingProblems(root, files));
for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

function lines(file) {
  return readFileSync(file, 'utf8').split(/\r?\n/).filter((line) => line.trim() !== '');
}
