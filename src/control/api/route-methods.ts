export interface RouteShape {
  readonly method: string;
  /** With parameters such as `:name`, and `*` for the rest. */
  readonly url: string;
}

/** The methods that a path supports. */
export function methodsOf(routes: readonly RouteShape[], path: string): string[] {
  const parts = path.split('/');
  const methods = routes.filter(({ url }) => matches(url.split('/'), parts)).map(({ method }) => method);
  return [...new Set(methods)].sort();
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  const rest = pattern.indexOf('*');
  if (rest === -1 && pattern.length !== parts.length) return false;
  const known = rest === -1 ? pattern : pattern.slice(0, rest);
  return known.every((part, at) => part === parts[at] || (part.startsWith(':') && parts[at] !== ''));
}
