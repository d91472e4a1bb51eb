/** What the CLI says: results on stdout, for people or as JSON; everything else on stderr. */
export interface Output {
  readonly json: boolean;
  /** A result: as it is for machines, as `text` for people. */
  readonly result: (value: unknown, text: () => string) => void;
  /** Shows on a terminal that something takes a while. */
  readonly progress: <T>(what: string, work: Promise<T>) => Promise<T>;
  readonly note: (text: string) => void;
  /** A note that machines are told, too: on stderr in any case. */
  readonly warning: (text: string) => void;
}

const patienceMs = 300;

export function openOutput(json: boolean): Output {
  // A terminal without a width, as some containers have, would be cleared by the spinner for ever.
  const quiet = json || !process.stderr.isTTY || process.stderr.columns < 1;
  const shown: Shown = {};
  return {
    json,
    result: (value, text) => {
      process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`);
    },
    progress: (what, work) => (quiet ? work : withSpinner(what, work, shown)),
    note: (text) => {
      shown.clear?.();
      if (!json) process.stderr.write(`${text}\n`);
    },
    warning: (text) => {
      shown.clear?.();
      process.stderr.write(`${text}\n`);
    },
  };
}

/** What turns on the terminal now; it is drawn again by itself. */
interface Shown {
  clear?: (() => void) | undefined;
}

async function withSpinner<T>(what: string, work: Promise<T>, shown: Shown): Promise<T> {
  const ended = new AbortController();
  const timer = setTimeout(() => void spin(what, ended.signal, shown), patienceMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}

/** The spinner's package takes longer to load than most commands to run: it is loaded when there is something to wait for. */
async function spin(what: string, ended: AbortSignal, shown: Shown): Promise<void> {
  const { default: ora } = await import('ora');
  if (ended.aborted) return;
  const spinner = ora({ text: what, stream: process.stderr }).start();
  shown.clear = () => spinner.clear();
  ended.addEventListener('abort', () => {
    spinner.stop();
    shown.clear = undefined;
  });
}
