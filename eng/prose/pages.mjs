// A Markdown page as the other files here need it: its tree, its anchors, its prose in sentences.

import GithubSlugger from 'github-slugger';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toString } from 'mdast-util-to-string';
import { gfm } from 'micromark-extension-gfm';
import { visit } from 'unist-util-visit';

export function parse(text) {
  return fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
}

/** The anchors that GitHub gives the headings of a page, and those that the page sets itself. */
export function anchorsOf(tree) {
  const slugger = new GithubSlugger();
  const anchors = new Set();
  visit(tree, (node) => {
    if (node.type === 'heading') anchors.add(slugger.slug(toString(node)));
    if (node.type === 'html') {
      for (const [, id] of node.value.matchAll(/\b(?:id|name)="([^"]+)"/g)) anchors.add(id);
    }
  });
  return anchors;
}

/** Blocks of prose with their first line: paragraphs, headings, table cells. Code blocks and HTML are no prose. */
export function blocksOf(tree) {
  const blocks = [];
  visit(tree, (node) => {
    if (!['paragraph', 'heading', 'tableCell'].includes(node.type)) return;
    const text = wordsOf(node).replace(/\s+/g, ' ').trim();
    if (text) blocks.push({ kind: node.type, text, line: node.position.start.line });
  });
  return blocks;
}

/** Inline code is one word, whatever stands in it: nobody reads it word by word. */
function wordsOf(node) {
  if (node.type === 'text') return node.value;
  if (node.type === 'inlineCode') return 'Code';
  if (node.type === 'break') return ' ';
  return (node.children ?? []).map(wordsOf).join('');
}

/**
 * The sentences of a block. What does not end like a sentence (a list item, a cell) is a fragment:
 * short ones would flatter the average, so only one that is longer than a sentence may be is counted.
 */
export function sentencesOf(block, longestFragment) {
  if (block.kind === 'heading') return [];
  return block.text
    .replace(/\b(e\.g|i\.e|vs|etc)\./g, '$1')
    .split(/(?<=[.!?]["'”’)\]]*)\s+/)
    .map((text) => ({ text, line: block.line, words: countWords(text) }))
    .filter(({ text, words }) => words > 0 && (/[.!?:]["'”’)\]]*$/.test(text) || words > longestFragment));
}

export function countWords(text) {
  return text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}
