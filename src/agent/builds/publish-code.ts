/** Making one version's bundle: in a sandbox of its runtime that reaches nothing, has its code, and ends after it. See runtimes/node/publish.mjs. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { z } from 'zod';
import type { Version } from '../../model/function.ts';
import { bundledBytes, publishLimitMs, publishRunLimitMs } from '../../model/limits.ts';
import type { Runtimes } from '../runtimes/installed-runtime.ts';
import { runtimeFiles } from '../runtimes/runtimes.ts';
import { nodeFlags, type RuntimeFiles } from '../sandbox/sandbox-driver.ts';
import { kindOf } from '../sandbox/sandbox.ts';
import type { BuildSandbox } from './build-sandbox.ts';

export interface PublishMeans {
  readonly boot: (files: RuntimeFiles) => Promise<BuildSandbox>;
  readonly runtimes: Runtimes;
  /** The folder with the program that bundles, ready when this resolves. */
  readonly prepared: () => Promise<string>;
}

export type PublishOutcome =
  | {
      readonly kind: 'made';
      readonly files: ReadonlyMap<string, Buffer>;
      /** The packages of npm that it was made of, by their paths. */
      readonly reached?: readonly string[];
    }
  | { readonly kind: 'refused'; readonly why: string };

const fileNames = ['bundle.cjs', 'bundle.cjs.map', 'bundle.cache'] as const;
const shownCharacters = 1_000;
const maxReached = 10_000;
const maxPathCharacters = 1_024;
const answerSchema = z.union([
  z.object({ files: z.record(z.enum(fileNames), z.base64()), reached: z.array(z.string().max(maxPathCharacters)).max(maxReached) }),
  z.object({ refused: z.string().transform((text) => printable(text).slice(0, shownCharacters)) }),
]);
const inBase64 = 4 / 3;

/**
 * @param codeFolder where the version's files lie on this host
 * @param signal ends it
 * @throws SwiftletError when there is no sandbox to be had
 */
export async function publishCode(means: PublishMeans, version: Version, codeFolder: string, signal: AbortSignal): Promise<PublishOutcome> {
  const { boot, runtimes, prepared } = means;
  const sandbox = await boot({ ...runtimeFiles(runtimes, version.config.runtime), folder: await prepared() });
  const until = AbortSignal.any([signal, AbortSignal.timeout(publishLimitMs)]);
  try {
    const answer = answerSchema.parse(JSON.parse(await ask(sandbox, orderFor(version, sandbox.attach(codeFolder)), until)));
    if ('refused' in answer) return { kind: 'refused', why: answer.refused };
    const files = new Map(fileNames.map((name) => [name, Buffer.from(answer.files[name], 'base64')]));
    return { kind: 'made', files, reached: answer.reached };
  } catch (error) {
    signal.throwIfAborted();
    // Whatever came instead of an answer came out of a sandbox that user code was in.
    const why = until.aborted ? `it took over ${publishLimitMs / 1_000} s` : `its sandbox did not answer as it should (${reasonOf(error)})`;
    return { kind: 'refused', why };
  } finally {
    sandbox.kill();
    await sandbox.ended;
  }
}

/** The code is run with the flags that its instances have: V8 takes no cache that was made with others. Without its secrets. */
function orderFor({ config, pool }: Version, codeDir: string): string {
  const { memoryMiB } = kindOf(config);
  const { handler, environment } = config;
  return JSON.stringify({
    codeDir,
    handler,
    environment,
    external: pool?.preload,
    flags: nodeFlags(memoryMiB),
    runLimitMs: publishRunLimitMs,
  });
}

async function ask({ socketPath }: BuildSandbox, order: string, signal: AbortSignal): Promise<string> {
  const asking = request({ socketPath, method: 'POST', signal });
  // Whoever waits for the answer, or reads it, learns of it there.
  asking.on('error', () => undefined);
  asking.end(order);
  const [answer] = (await once(asking, 'response', { signal })) as [IncomingMessage];
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bundledBytes * inBase64) throw new Error(`it is over ${bundledBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

const reasonOf = (error: unknown): string =>
  error instanceof z.ZodError ? 'its answer is none' : error instanceof Error ? error.message : String(error);

/** It goes into logs and to terminals. */
const printable = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
