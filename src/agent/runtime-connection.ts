import { createConnection, type Socket } from 'node:net';
import { SwiftletError } from '../model/errors.ts';
import { encodeFrame, FrameDecoder } from '../wire/frames.ts';
import { frame, type InitReport, type InitRequest, type InvocationFailure, type RuntimeState } from '../wire/instance-protocol.ts';

/** How an initialisation went, as the runtime tells it. */
export type InitOutcome =
  | { readonly kind: 'initialised'; readonly report: InitReport }
  | { readonly kind: 'failed'; readonly failure: InvocationFailure };

type Waiting = { readonly resolve: (payload: Buffer, type: number) => void; readonly reject: (error: Error) => void };

/**
 * The agent's own connection to a sandbox's runtime. It carries one question at a time.
 * What the other side says is user code's to forge: it can hurt nobody but the instance itself.
 */
export class RuntimeConnection {
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  #waiting: Waiting | undefined;

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
    return JSON.parse(payload.toString()) as RuntimeState;
  }

  /** Tells the runtime what it is to be, so that it prepares while its code is put in place. */
  dedicate(request: InitRequest): void {
    this.#socket.write(encodeFrame(frame.init, 0, JSON.stringify(request)));
  }

  /**
   * Makes the runtime load the code.
   * @param codeDir where it lies, as the runtime sees it
   * @throws SwiftletError FunctionCrashed when the process ended before it answered
   */
  async load(codeDir: string): Promise<InitOutcome> {
    const { type, payload } = await this.#ask(encodeFrame(frame.load, 0, codeDir), frame.initialised, frame.initFailed);
    const answer: unknown = JSON.parse(payload.toString());
    return type === frame.initialised
      ? { kind: 'initialised', report: answer as InitReport }
      : { kind: 'failed', failure: answer as InvocationFailure };
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(question: Buffer, ...answers: number[]): Promise<{ type: number; payload: Buffer }> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(lost());
        return;
      }
      this.#waiting = {
        resolve: (payload, type) => {
          if (!answers.includes(type)) return;
          this.#waiting = undefined;
          resolve({ type, payload });
        },
        reject,
      };
      this.#socket.write(question);
    });
  }

  #settle(type: number, payload: Buffer): void {
    this.#waiting?.resolve(payload, type);
  }

  #lose(): void {
    this.#waiting?.reject(lost());
    this.#waiting = undefined;
  }
}

const lost = (): SwiftletError => new SwiftletError('FunctionCrashed', 'the process in the sandbox ended');
