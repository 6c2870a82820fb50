// Spelling, by cspell: pages, and the comments, messages and names in src. The words of this project are in words.txt.

import { lint } from 'cspell';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export async function spellingProblems(root, files) {
  const checked = files.filter((file) => file.endsWith('.md') || /^src\/.*\.(cs|html|js)$/.test(file));
  const list = join(here, 'node_modules', `.spelled-${process.pid}`);
  writeFileSync(list, checked.map((file) => join(root, file)).join('\n'));
  const problems = [];
  const note = (file, line, what) => problems.push(`${relative(root, file)}${line ? `:${line}` : ''}: ${what}`);
  const nothing = () => {};
  await lint([], {
    root,
    config: join(here, 'cspell.json'),
    fileLists: [list],
    mustFindFiles: false,
    cache: true,
    cacheStrategy: 'content',
    cacheLocation: join(here, 'node_modules', '.cspellcache'),
  }, {
    issue: ({ uri, row, text }) => note(uri, row, `"${text}": is it spelled right? If it is a word of this project, it goes into eng/prose/words.txt.`),
    error: (message, error) => problems.push(`${message} ${error}`),
    info: nothing,
    debug: nothing,
    progress: nothing,
    result: nothing,
  });
  rmSync(list);
  return problems;
}

function relative(root, uri) {
  const path = decodeURIComponent(uri.replace(/^file:\/\//, ''));
  return path.startsWith(root) ? path.slice(root.length).replace(/^[/\\]/, '') : path;
}
