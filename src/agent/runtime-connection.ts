import { createConnection, type Socket } from 'node:net';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { encodeFrame, FrameDecoder } from '../wire/frames.ts';
import { maxPreloads } from '../model/limits.ts';
import {
  frame,
  type InitReport,
  type InitRequest,
  type InvocationFailure,
  type PreloadReport,
  type PreloadRequest,
  type RuntimeState,
} from '../wire/instance-protocol.ts';

/** How an initialisation went, as the runtime tells it. */
export type InitOutcome =
  | { readonly kind: 'initialised'; readonly report: InitReport }
  | { readonly kind: 'failed'; readonly failure: InvocationFailure };

/** An ended process has its connection closed by the kernel at once. */
const lastWordsMs = 200;
const milliseconds = z.number().min(0).max(1e9);
const stateSchema = z.object({
  protocol: z.int(),
  state: z.enum(['booted', 'dedicated', 'initialising', 'initialised', 'failed']),
  runtime: z.string().max(100),
}) satisfies z.ZodType<RuntimeState>;
/** What an instance may take to end once it is told so. */
export const longestFarewellMs = 3_000;
const reportSchema = z.object({
  environmentMs: milliseconds,
  runtimeMs: milliseconds,
  initMs: milliseconds,
  farewellMs: milliseconds.max(longestFarewellMs).optional(),
}) satisfies z.ZodType<InitReport>;
/** Of what a program says itself of a failure. */
const maxPayloadCharacters = 256 * 1024;
const cut = (characters: number) => z.string().transform((text) => text.slice(0, characters));
const preloadSchema = z.object({
  failed: z.array(z.object({ module: cut(200), message: cut(1_000) })).max(maxPreloads),
}) satisfies z.ZodType<PreloadReport>;
const failureSchema = z.object({
  code: cut(100),
  type: cut(200),
  message: cut(4_000),
  stack: cut(16 * 1024).optional(),
  // Half of it would be no JSON.
  payload: z.string().max(maxPayloadCharacters).optional().catch(undefined),
}) satisfies z.ZodType<InvocationFailure>;

const forLong = Buffer.of(1);

interface Answer {
  readonly type: number;
  readonly payload: Buffer;
}

interface Question {
  readonly answers: readonly number[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The agent's own connection to a sandbox's runtime. It carries questions, answers in their order, and nothing that was not asked for.
 * What the other side says is user code's to forge: it can hurt nobody but the instance itself. Whatever is out of turn ends the connection.
 */
export class RuntimeConnection {
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  /** Questions without an answer yet. */
  readonly #asked: Question[] = [];

  /** @param socketPath a socket that listens already */
  constructor(socketPath: string) {
    this.#decoder = new FrameDecoder((type, _stream, payload) => this.#settle(type, payload));
    this.#socket = createConnection(socketPath);
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        this.#decoder.push(chunk);
      } catch {
        this.#socket.destroy();
      }
    });
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => this.#lose());
  }

  /** Resolves once the runtime has booted. @throws SwiftletError FunctionCrashed when the process ended before */
  async booted(): Promise<RuntimeState> {
    const { payload } = await this.#ask(encodeFrame(frame.probe, 0), frame.state);
    return parsed(stateSchema, payload);
  }

  /**
   * Makes the runtime import modules before it is anybody's.
   * @throws SwiftletError FunctionCrashed when the process ended before it answered, InitError when what it answered is none
   */
  async preload(request: PreloadRequest): Promise<PreloadReport> {
    const { payload } = await this.#ask(encodeFrame(frame.preload, 0, JSON.stringify(request)), frame.preloaded);
    return parsed(preloadSchema, payload);
  }

  /** Tells the runtime what it is to be, so that it prepares while its code is put in place. */
  dedicate(request: InitRequest): void {
    this.#socket.write(encodeFrame(frame.init, 0, JSON.stringify(request)));
  }

  /**
   * Makes the runtime load the code.
   * @param codeDir where it lies, as the runtime sees it
   * @throws SwiftletError FunctionCrashed when the process ended before it answered, InitError when what it answered is none
   */
  async load(codeDir: string): Promise<InitOutcome> {
    const { type, payload } = await this.#ask(encodeFrame(frame.load, 0, codeDir), frame.initialised, frame.initFailed);
    return type === frame.initialised
      ? { kind: 'initialised', report: parsed(reportSchema, payload) }
      : { kind: 'failed', failure: parsed(failureSchema, payload) };
  }

  /**
   * Resolves once nobody else is connected, no handler runs, and nothing is left of what one announced by `waitUntil`. Asked again only
   * after that.
   * @param isForLong whether its memory may go to swap then: the runtime gives back what it does not need
   * @throws SwiftletError FunctionCrashed when the process ended before, or spoke out of turn
   */
  async rest(isForLong = false): Promise<void> {
    await this.#ask(encodeFrame(frame.rest, 0, isForLong ? forLong : undefined), frame.resting);
  }

  /** Tells the runtime to end. Only one that reported a farewell. @param why SPINDOWN, TIMEOUT or FAILURE */
  end(why: string): void {
    this.#socket.write(encodeFrame(frame.end, 0, why));
  }

  /** Closes it once all is read that the process had said before it ended, in whatever order the agent learned of both. */
  async finish(): Promise<void> {
    if (!this.#socket.destroyed) {
      const { promise: closed, resolve } = Promise.withResolvers<undefined>();
      const late = setTimeout(() => resolve(undefined), lastWordsMs);
      this.#socket.once('close', () => resolve(undefined));
      await closed;
      clearTimeout(late);
    }
    this.#socket.destroy();
  }

  #ask(question: Buffer, ...answers: number[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(lost());
        return;
      }
      this.#asked.push({ answers, resolve, reject });
      this.#socket.write(question);
    });
  }

  #settle(type: number, payload: Buffer): void {
    const [question] = this.#asked;
    if (question?.answers.includes(type) !== true) {
      this.#socket.destroy();
      return;
    }
    this.#asked.shift();
    question.resolve({ type, payload });
  }

  #lose(): void {
    for (const { reject } of this.#asked.splice(0)) reject(lost());
  }
}

const lost = (): SwiftletError => new SwiftletError('FunctionCrashed', 'the process in the sandbox ended');

function parsed<T>(schema: z.ZodType<T>, payload: Buffer): T {
  try {
    return schema.parse(JSON.parse(payload.toString()));
  } catch (error) {
    throw new SwiftletError('InitError', 'the process in the sandbox answered with what is no answer', { cause: error });
  }
}
