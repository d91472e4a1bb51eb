import colors from 'picocolors';

/** Whether a stream shows colours: on a terminal, unless `NO_COLOR` is set; `FORCE_COLOR` asks for them anywhere. */
export function showsColours(stream: { readonly isTTY?: boolean }, { NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && TERM !== 'dumb';
}

/** For standard output, where results go. */
export const colours = colors.createColors(showsColours(process.stdout, process.env));
/** For standard error, where everything else goes. */
export const errorColours = colors.createColors(showsColours(process.stderr, process.env));
