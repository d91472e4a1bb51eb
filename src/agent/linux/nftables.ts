/** nftables by its own library, kept open: a change costs no process. */
import koffi from 'koffi';

type Context = NonNullable<object>;

const libraryName = 'libnftables.so.1';
const jsonOutput = 1 << 4;
/** EINTR, as it says it: a signal came meanwhile, as when a child ends. Nothing was changed then. */
const interrupted = 'Interrupted system call';
const mostTries = 10;

const load = () => {
  const library = koffi.load(libraryName);
  return {
    create: library.func('void *nft_ctx_new(uint32_t flags)') as (flags: number) => Context | null,
    free: library.func('void nft_ctx_free(void *context)') as (context: Context) => void,
    bufferOutput: library.func('int nft_ctx_buffer_output(void *context)') as (context: Context) => number,
    bufferErrors: library.func('int nft_ctx_buffer_error(void *context)') as (context: Context) => number,
    output: library.func('const char *nft_ctx_get_output_buffer(void *context)') as (context: Context) => string,
    errors: library.func('const char *nft_ctx_get_error_buffer(void *context)') as (context: Context) => string,
    setOutput: library.func('void nft_ctx_output_set_flags(void *context, unsigned int flags)') as (
      context: Context,
      flags: number,
    ) => void,
    run: library.func('int nft_run_cmd_from_buffer(void *context, const char *text)') as (context: Context, text: string) => number,
  };
};
let loaded: ReturnType<typeof load> | undefined;

/** The rules of the network namespace that its thread was in when it was made. All calls are synchronous. */
export class Nftables implements Disposable {
  readonly #library: ReturnType<typeof load>;
  readonly #context: Context;

  /** @throws Error when libnftables is not installed */
  constructor() {
    loaded ??= load();
    this.#library = loaded;
    const context = this.#library.create(0);
    if (context === null) throw new Error(`${libraryName} could not be opened`);
    this.#context = context;
    this.#library.bufferOutput(context);
    this.#library.bufferErrors(context);
  }

  /** Carries out commands of nft(8), all or none. @throws Error with what nft says */
  run(commands: string): void {
    for (let tries = 1; this.#library.run(this.#context, commands) !== 0; tries++) {
      const reason = this.#library.errors(this.#context).trim();
      if (!reason.includes(interrupted) || tries === mostTries) throw new Error(`nftables refused a change: ${reason}`);
    }
  }

  /** What a `list` command says, as nft’s JSON (libnftables-json(5)). @throws Error with what nft says */
  list(command: string): unknown {
    this.#library.setOutput(this.#context, jsonOutput);
    try {
      this.run(command);
      return JSON.parse(this.#library.output(this.#context));
    } finally {
      this.#library.setOutput(this.#context, 0);
    }
  }

  [Symbol.dispose](): void {
    this.#library.free(this.#context);
  }
}
