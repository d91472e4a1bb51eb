import { Marked, type Token } from 'marked';
import { escapeHtml } from './page.ts';

const safeLink = /^(?:https?:|mailto:|[#/?.]|[^:&]*$)/i;

// The text is a stranger's: its own tags are shown, not run, and a link leads to a page or nowhere.
const marked = new Marked({
  gfm: true,
  renderer: { html: ({ text }) => escapeHtml(text) },
  walkTokens(token) {
    if ((token.type === 'link' || token.type === 'image') && !safeLink.test(token.href)) token.href = '#';
  },
});

/** The HTML of each block of the text in turn: a heading, a paragraph, a list, a table. */
export function* blocks(markdown: string): Generator<string> {
  const tokens = marked.lexer(markdown);
  marked.walkTokens(tokens, marked.defaults.walkTokens ?? (() => undefined));
  for (const token of tokens) yield marked.parser([token] satisfies Token[]);
}
