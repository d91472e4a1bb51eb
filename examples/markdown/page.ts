const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? character);

const style =
  'body{font:16px/1.6 system-ui;max-width:44rem;margin:3rem auto;padding:0 1rem}pre{overflow:auto;background:#f4f4f4;padding:1rem}';

/** What stands before and after the text. */
export function page(title: string): { readonly head: string; readonly foot: string } {
  return {
    head: `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>${escapeHtml(title)}</title>\n<style>${style}</style>\n<body>\n`,
    foot: '</body>\n</html>\n',
  };
}
