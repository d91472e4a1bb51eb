/** What is packed, from the globs of Serverless to patterns as in a .gitignore. Pure. */

/**
 * Later ones win in both, so that their order stays. What a glob without a slash means is at the top here, and anywhere in a .gitignore;
 * what lies in a folder that is left out is only found again when the folders on the way are let in.
 * @param patterns `src/**`, `!node_modules/**`
 * @returns lines for `build.exclude`, where a line that begins with `!` is let in
 */
export function excludeLines(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => {
    const isOut = pattern.startsWith('!');
    const path = anchored(isOut ? pattern.slice(1) : pattern);
    return isOut ? [path] : [...foldersTo(path).map((folder) => `!${folder}`), `!${path}`];
  });
}

function anchored(glob: string): string {
  const path = glob.replace(/^(?:\.\/)+/, '').replace(/^\/+/, '');
  return path.startsWith('**/') ? path : `/${path}`;
}

/** `/a/b/` of `/a/b/**`: each folder that is named before the first wildcard. */
function foldersTo(path: string): string[] {
  if (!path.startsWith('/')) return [];
  const parts = path.slice(1).split('/').slice(0, -1);
  const wild = parts.findIndex((part) => /[*?[{]/.test(part));
  const plain = wild < 0 ? parts : parts.slice(0, wild);
  return plain.map((_part, at) => `/${plain.slice(0, at + 1).join('/')}/`);
}
