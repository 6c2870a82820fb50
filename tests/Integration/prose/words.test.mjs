// The checks of prose on text that is wrong on purpose, and on text that is right.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { linkProblems } from '../../../eng/prose/links.mjs';
import { markdownProblems } from '../../../eng/prose/markdown.mjs';
import { parse } from '../../../eng/prose/pages.mjs';
import { spellingProblems } from '../../../eng/prose/spelling.mjs';
import { lengthProblems, wordProblemsInPage, wordProblemsInSource } from '../../../eng/prose/style.mjs';

const root = mkdtempSync(join(tmpdir(), 'outpost-prose-'));
after(() => rmSync(root, { recursive: true }));

const sentence = (words) => `${Array(words).fill('word').join(' ')}.`;
const lengths = (file, text) => lengthProblems(file, parse(text));

test('sentences that are too long on average are found', () => {
  assert.deepEqual(lengths('a.md', `${sentence(20)} ${sentence(20)}`), []);
  assert.match(lengths('a.md', `${sentence(20)} ${sentence(22)}`)[0], /21\.0 words a sentence/);
});

test('one sentence that is far too long is found, with its line', () => {
  assert.deepEqual(lengths('a.md', `# Title\n\nShort one.\n\n${sentence(41)} ${Array(9).fill('A.').join(' ')}`),
    ['a.md:5: a sentence of 41 words, at most 40 wanted.']);
});

test('short list items and cells do not flatter the average, and long ones are no way out', () => {
  const items = Array(50).fill('- one').join('\n');
  assert.match(lengths('a.md', `${sentence(21)}\n\n${items}`)[0], /21\.0 words/);
  assert.match(lengths('a.md', `| a |\n|---|\n| ${Array(30).fill('word').join(' ')} |`)[0], /30\.0 words/);
});

test('code counts as one word, and code blocks do not count', () => {
  assert.deepEqual(lengths('a.md', `\`${sentence(60)}\` is code.\n\n\`\`\`sh\n${sentence(60)}\n\`\`\`\n`), []);
});

test('a page that is too long is found, but for references', () => {
  const long = Array(151).fill(sentence(10)).join(' ');
  assert.deepEqual(lengths('docs/a.md', long), ['docs/a.md: 1510 words, at most 1500 wanted.']);
  assert.deepEqual(lengths('docs/reference.md', long), []);
});

test('a README that is too long before "More" is found', () => {
  const part = Array(40).fill(sentence(10)).join(' ');
  assert.deepEqual(lengths('README.md', `${part}\n\n## More\n\n${part}`), []);
  assert.match(lengths('README.md', `${part}\n\n${part}\n\n## More\n`)[0], /800 words before "More"/);
});

test('words that readers trip over are found in prose and in source, and left alone in code', () => {
  assert.deepEqual(wordProblemsInPage('a.md', parse('One.\n\nDo it Anew.')), ['a.md:3: "Anew": write "again".']);
  assert.deepEqual(wordProblemsInPage('a.md', parse('The flag `whilst`, and thousands.')), []);
  assert.deepEqual(wordProblemsInSource('a.cs', '// one\n// hence two'), ['a.cs:2: "hence": write "so".']);
});

test('a link to no file, to no heading or out of the repository is found', () => {
  mkdirSync(join(root, 'docs'));
  writeFileSync(join(root, 'docs', 'b.md'), '# Two words\n\n## Two words\n\n<a id="own"></a>\n');
  const problems = (link) => linkProblems(root, 'docs/a.md', parse(`See [it](${link}).`));
  for (const right of ['b.md', 'b.md#two-words', 'b.md#two-words-1', 'b.md#own', '../docs', 'https://nowhere.invalid/']) {
    assert.deepEqual(problems(right), [], right);
  }

  assert.match(problems('c.md')[0], /docs\/a\.md:1: c\.md: there is no such file/);
  assert.match(problems('b.md#three')[0], /no such heading/);
  assert.match(problems('../../etc/hosts')[0], /out of the repository/);
  assert.equal(linkProblems(root, 'docs/a.md', parse('<img src="no.png">')).length, 1);
});

test('Markdown that renders otherwise than it was meant is found', () => {
  assert.deepEqual(markdownProblems('a.md', '# Title\n\nText.\n'), []);
  assert.match(markdownProblems('a.md', '# Title\n\n| a |\n|---|\n| `x|y` |\n')[0], /a\.md:5: .*MD056/);
});

test('a word that is spelled wrong is found in a page and in a comment', async () => {
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src', 'a.cs'), '// We recieve it.\n');
  writeFileSync(join(root, 'a.md'), 'Its behavior is right, says `recieve`.\n');

  const problems = await spellingProblems(root, ['a.md', 'src/a.cs']);

  assert.match(problems.find((each) => each.startsWith('src/a.cs:1:')), /"recieve"/);
  assert.match(problems.find((each) => each.startsWith('a.md:1:')), /"behavior"/);
  assert.equal(problems.length, 2);
});
