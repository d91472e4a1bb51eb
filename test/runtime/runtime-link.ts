/** A gateway's end of a connection to a runtime, with every frame in the test's hands. */
import type { Socket } from 'node:net';
import { bodyChunkBytes, encodeFrame, FrameDecoder } from '../../src/wire/frames.ts';
import {
  frame,
  type InvocationFailure,
  type InvokeHead,
  invokeKind,
  type ResponseHead,
  takesCalls,
} from '../../src/wire/instance-protocol.ts';

export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

export interface Asked {
  readonly kind?: number;
  readonly id?: string;
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: Buffer | string;
  /** How much of the body there is to be is not said. */
  readonly unknownLength?: boolean;
  readonly deadline?: number;
  readonly offersWebSocket?: boolean;
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly done: { readonly handlerMicroseconds: number; readonly residentKiB: number } | undefined;
  readonly failure: InvocationFailure | undefined;
}

interface Waiter {
  readonly stream: number;
  readonly types: readonly number[];
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

const patienceMs = 20_000;

export class RuntimeLink {
  /** Chunks of bytes that came: frames that were written at once come in one, if they are small. */
  chunks = 0;
  readonly #socket: Socket;
  readonly #came = new Map<number, Frame[]>();
  readonly #waiting = new Set<Waiter>();
  #stream = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    const decoder = new FrameDecoder((type, stream, payload) => this.#take(stream, { type, payload: Buffer.from(payload) }));
    socket.on('data', (chunk: Buffer) => {
      this.chunks += 1;
      decoder.push(chunk);
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      for (const waiter of this.#waiting) waiter.reject(new Error('the runtime closed the connection'));
    });
  }

  send(type: number, stream: number, payload: Buffer | string = ''): void {
    this.#socket.write(encodeFrame(type, stream, payload));
  }

  /** Several frames in one write. */
  sendTogether(frames: readonly (readonly [type: number, stream: number, payload?: Buffer | string])[]): void {
    this.#socket.write(Buffer.concat(frames.map(([type, stream, payload]) => encodeFrame(type, stream, payload))));
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The next frame of a stream that is of one of these types; others before it are skipped. */
  async next(stream: number, ...types: number[]): Promise<Frame> {
    const came = this.#came.get(stream) ?? [];
    for (let first = came.shift(); first !== undefined; first = came.shift()) if (types.includes(first.type)) return first;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Frame>((resolve, reject) => {
        this.#waiting.add({ stream, types, resolve, reject });
        timer = setTimeout(
          () => reject(new Error(`no frame of type ${types.map((type) => type.toString(16)).join(', ')} came`)),
          patienceMs,
        );
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Opens a stream for an invocation and sends its head. */
  open(
    target: string,
    {
      kind = invokeKind.http,
      id = 'request-1',
      method,
      headers = [],
      body = '',
      unknownLength = false,
      deadline,
      offersWebSocket = false,
    }: Asked = {},
  ): number {
    const stream = ++this.#stream;
    const length = unknownLength ? -1 : Buffer.byteLength(body);
    const verb = method ?? (length === 0 ? 'GET' : 'POST');
    const head: InvokeHead = [
      kind,
      id,
      deadline ?? Date.now() + patienceMs,
      verb,
      target,
      '192.0.2.1',
      length,
      headers,
      takesCalls,
      null,
      Number(offersWebSocket),
    ];
    this.send(frame.invoke, stream, JSON.stringify(head));
    return stream;
  }

  /** Invokes and waits for the whole answer; takes whatever body comes. */
  async call(target: string, asked: Asked = {}): Promise<Answer> {
    const stream = this.open(target, asked);
    if (asked.body !== undefined || asked.unknownLength === true) this.sendBody(stream, Buffer.from(asked.body ?? ''));
    return await this.answer(stream);
  }

  sendBody(stream: number, body: Buffer): void {
    for (let at = 0; at < body.length; at += bodyChunkBytes) this.send(frame.requestBody, stream, body.subarray(at, at + bodyChunkBytes));
    this.send(frame.requestEnd, stream);
  }

  sendCredit(stream: number, bytes: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    this.send(frame.responseCredit, stream, payload);
  }

  async answer(stream: number): Promise<Answer> {
    let head: ResponseHead | undefined;
    const pieces: Buffer[] = [];
    for (;;) {
      const { type, payload } = await this.next(stream, frame.head, frame.responseBody, frame.done, frame.failed);
      const soFar = { status: head?.[0], headers: head?.[1] ?? [], body: Buffer.concat(pieces) };
      if (type === frame.head) head = JSON.parse(payload.toString()) as ResponseHead;
      else if (type === frame.failed) return { ...soFar, done: undefined, failure: JSON.parse(payload.toString()) as InvocationFailure };
      else if (type === frame.done) {
        return {
          ...soFar,
          done: { handlerMicroseconds: payload.readUInt32BE(0), residentKiB: payload.readUInt32BE(4) },
          failure: undefined,
        };
      } else {
        pieces.push(payload);
        this.sendCredit(stream, payload.length);
      }
    }
  }

  #take(stream: number, came: Frame): void {
    for (const waiter of this.#waiting) {
      if (waiter.stream !== stream || !waiter.types.includes(came.type)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(came);
      return;
    }
    const kept = this.#came.get(stream) ?? [];
    kept.push(came);
    this.#came.set(stream, kept);
  }
}
