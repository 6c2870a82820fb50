// How long sentences and pages are, and which words a reader trips over.

import { blocksOf, countWords, sentencesOf } from './pages.mjs';
import { words } from './words.mjs';

export const wordsPerSentence = 20; // on average
export const wordsOfLongestSentence = 40;
export const wordsPerPage = 1500;
export const wordsBeforeMore = 500;

/** Pages that are looked things up in, not read through. */
const references = [/^CHANGELOG\.md$/, /^docs\/reference.*\.md$/, /^docs\/results\.md$/, /^docs\/adr\//];

export function lengthProblems(file, tree) {
  const blocks = blocksOf(tree);
  const problems = [];
  const sentences = blocks.flatMap((block) => sentencesOf(block, wordsPerSentence));
  const average = sentences.reduce((sum, each) => sum + each.words, 0) / (sentences.length || 1);
  if (average > wordsPerSentence) {
    problems.push(`${file}: ${average.toFixed(1)} words a sentence on average, at most ${wordsPerSentence} wanted.`);
  }

  for (const { line, words: length } of sentences.filter((each) => each.words > wordsOfLongestSentence)) {
    problems.push(`${file}:${line}: a sentence of ${length} words, at most ${wordsOfLongestSentence} wanted.`);
  }

  const total = count(blocks);
  if (total > wordsPerPage && !references.some((each) => each.test(file))) {
    problems.push(`${file}: ${total} words, at most ${wordsPerPage} wanted.`);
  }

  if (file === 'README.md') {
    const more = blocks.findIndex((block) => block.kind === 'heading' && block.text === 'More');
    const before = count(more < 0 ? blocks : blocks.slice(0, more));
    if (before > wordsBeforeMore) {
      problems.push(`${file}: ${before} words before "More", at most ${wordsBeforeMore} wanted.`);
    }
  }

  return problems;
}

const count = (blocks) => blocks.reduce((sum, block) => sum + countWords(block.text), 0);

export function wordProblemsInPage(file, tree) {
  return blocksOf(tree).flatMap((block) => found(block.text).map((each) => `${file}:${block.line}: ${each}`));
}

/** Source, templates and scripts: words in comments, messages and labels count, and code has none of them. */
export function wordProblemsInSource(file, text) {
  return text.split('\n').flatMap((line, index) => found(line).map((each) => `${file}:${index + 1}: ${each}`));
}

const pattern = new RegExp(`\\b(${Object.keys(words).join('|')})\\b`, 'gi');

function found(text) {
  return [...text.matchAll(pattern)].map(([word]) => {
    const better = words[word.toLowerCase()];
    return better ? `"${word}": write "${better}".` : `"${word}": say it plainly.`;
  });
}
