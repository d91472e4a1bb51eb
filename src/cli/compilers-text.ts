import type { CompilersReport } from '../agent/builds/compilers.ts';

/** Whether builds can compile native addons here. Most packages bring theirs compiled, so that this may well be missing. */
export function compilersText({ programs, missing, remedy }: CompilersReport): string {
  const all = programs.join(', ');
  return remedy === undefined
    ? `Builds can compile native addons, where install scripts are allowed: ${all} are here.`
    : `Builds cannot compile native addons: of ${all} this host lacks ${missing.join(', ')}; ${remedy}. Those that come prebuilt need none of it.`;
}
