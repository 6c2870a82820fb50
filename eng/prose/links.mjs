// Relative links and anchors of Markdown pages. Addresses on other hosts are not asked: a check needs no network.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { visit } from 'unist-util-visit';
import { anchorsOf, parse } from './pages.mjs';

export function linkProblems(root, file, tree, cache = new Map()) {
  const problems = [];
  visit(tree, (node) => {
    for (const url of urlsOf(node)) {
      const problem = problemOf(root, file, url, cache);
      if (problem) problems.push(`${file}:${node.position.start.line}: ${url}: ${problem}`);
    }
  });
  return problems;
}

function urlsOf(node) {
  if (node.type === 'html') return [...node.value.matchAll(/\b(?:src|href|srcset)="([^"]+)"/g)].map(([, url]) => url);
  return ['link', 'image', 'definition'].includes(node.type) ? [node.url] : [];
}

function problemOf(root, file, url, cache) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(url)) return null;
  const [path, anchor] = url.split('#');
  const target = path ? normalize(join(dirname(file), decodeURIComponent(path))) : file;
  if (target.startsWith('..')) return 'leads out of the repository.';
  if (!existsSync(join(root, target))) return 'there is no such file.';
  if (!anchor || !target.endsWith('.md')) return null;
  if (!cache.has(target)) cache.set(target, anchorsOf(parse(readFileSync(join(root, target), 'utf8'))));
  return cache.get(target).has(decodeURIComponent(anchor)) ? null : 'the page has no such heading.';
}
