/** Frames of LZ4, by the library that the system has. Source: lz4frame.h of LZ4 1.8 and later. */
import { Transform } from 'node:stream';
import koffi from 'koffi';
import { SwiftletError } from '../model/errors.ts';

const frameVersion = 100;
const outputBytes = 256 * 1024;

interface Lz4 {
  readonly isError: (code: number | bigint) => number;
  readonly create: (context: unknown[], version: number) => number | bigint;
  readonly free: (context: unknown) => number | bigint;
  readonly decompress: (context: unknown, to: Buffer, toSize: Buffer, from: Buffer, fromSize: Buffer, options: null) => number | bigint;
  readonly bound: (size: number, preferences: null) => number | bigint;
  readonly compress: (to: Buffer, capacity: number | bigint, from: Buffer, size: number, preferences: null) => number | bigint;
}

let loaded: Lz4 | undefined;

/** @throws SwiftletError BundleRejected where the system has no such library */
function lz4(): Lz4 {
  if (loaded !== undefined) return loaded;
  let library;
  try {
    library = koffi.load(process.platform === 'darwin' ? 'liblz4.dylib' : 'liblz4.so.1');
  } catch (error) {
    throw new SwiftletError('BundleRejected', 'the bundle is in LZ4, and this machine has no liblz4; install it, or pack in zstd', {
      cause: error,
    });
  }
  loaded = {
    isError: library.func('unsigned int LZ4F_isError(size_t code)') as Lz4['isError'],
    create: library.func('size_t LZ4F_createDecompressionContext(_Out_ void **context, unsigned int version)') as Lz4['create'],
    free: library.func('size_t LZ4F_freeDecompressionContext(void *context)') as Lz4['free'],
    decompress: library.func(
      'size_t LZ4F_decompress(void *context, uint8_t *to, uint8_t *toSize, const uint8_t *from, uint8_t *fromSize, const void *options)',
    ) as Lz4['decompress'],
    bound: library.func('size_t LZ4F_compressFrameBound(size_t size, const void *preferences)') as Lz4['bound'],
    compress: library.func(
      'size_t LZ4F_compressFrame(uint8_t *to, size_t capacity, const uint8_t *from, size_t size, const void *preferences)',
    ) as Lz4['compress'],
  };
  return loaded;
}

/** The same bytes give the same frame, by the same release of the library. @throws SwiftletError where there is none */
export function compressLz4(bytes: Buffer): Buffer {
  const library = lz4();
  const frame = Buffer.alloc(Number(library.bound(bytes.length, null)));
  const size = library.compress(frame, frame.length, bytes, bytes.length, null);
  if (library.isError(size) !== 0) throw new Error('liblz4 could not compress');
  return frame.subarray(0, Number(size));
}

/** Takes one frame; what follows it is left. */
export class Lz4Decompress extends Transform {
  readonly #library: Lz4;
  readonly #context: unknown;
  readonly #output = Buffer.alloc(outputBytes);
  #isOver = false;
  #taken = 0;

  /** @throws SwiftletError BundleRejected where the system has no such library */
  constructor() {
    super();
    this.#library = lz4();
    const context: unknown[] = [null];
    if (this.#library.isError(this.#library.create(context, frameVersion)) !== 0) throw new Error('liblz4 has no memory');
    [this.#context] = context;
  }

  /** Bytes that belonged to the frame. */
  get taken(): number {
    return this.#taken;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, next: (error?: Error | null) => void): void {
    const [toSize, fromSize] = [Buffer.alloc(8), Buffer.alloc(8)];
    let rest = chunk;
    let isFull = false;
    // A full output may leave something inside that no further input is needed for.
    while (!this.#isOver && (rest.length > 0 || isFull)) {
      toSize.writeBigUInt64LE(BigInt(outputBytes));
      fromSize.writeBigUInt64LE(BigInt(rest.length));
      const left = this.#library.decompress(this.#context, this.#output, toSize, rest, fromSize, null);
      if (this.#library.isError(left) !== 0) {
        next(new Error('it is no frame of LZ4'));
        return;
      }
      const [written, taken] = [Number(toSize.readBigUInt64LE()), Number(fromSize.readBigUInt64LE())];
      this.#taken += taken;
      rest = rest.subarray(taken);
      isFull = written === outputBytes;
      if (written > 0) this.push(Buffer.from(this.#output.subarray(0, written)));
      this.#isOver = Number(left) === 0;
    }
    next();
  }

  override _flush(next: (error?: Error | null) => void): void {
    next(this.#isOver ? null : new Error('its frame of LZ4 has no end'));
  }

  override _destroy(error: Error | null, next: (error?: Error | null) => void): void {
    this.#library.free(this.#context);
    next(error);
  }
}
