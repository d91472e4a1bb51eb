/** Making one version's archive of classes: in a sandbox that reaches nothing, has its code, and ends after it. See runtimes/program/publish-java.mjs. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import type { Version } from '../../model/function.ts';
import { archivedBytes, publishJavaLimitMs, publishJavaRunLimitMs } from '../../model/limits.ts';
import { derivedFolder } from '../code-cache.ts';
import { runtimeFiles } from '../runtimes/runtimes.ts';
import type { BuildSandbox } from './build-sandbox.ts';
import type { PublishMeans, PublishOutcome } from './publish-code.ts';
import { writeWhole } from './write-whole.ts';

const archiveFile = 'classes.jsa';
const classPathFile = 'class-path.txt';
const classesFile = 'classes.jar';
const shownCharacters = 1_000;

export interface PublishJavaMeans extends PublishMeans {
  /** Of our runtime with its JVM. */
  readonly stamp: string;
}

/**
 * @param codeFolder where the version's files lie on this host
 * @param signal ends it
 * @throws SwiftletError when there is no sandbox to be had, or no Java
 */
export async function publishJava(
  means: PublishJavaMeans,
  version: Version,
  codeFolder: string,
  signal: AbortSignal,
): Promise<PublishOutcome> {
  const { boot, runtimes, prepared, stamp } = means;
  const sandbox = await boot({ ...runtimeFiles(runtimes, version.config.runtime), folder: await prepared() });
  const until = AbortSignal.any([signal, AbortSignal.timeout(publishJavaLimitMs)]);
  try {
    const codeDir = sandbox.attach(codeFolder);
    const jarFolder = join(derivedFolder, `java-${stamp}`);
    const order = orderFor(version, codeDir, join(codeDir, jarFolder, classesFile));
    // It appears where its instances will have it, before anything is loaded from there.
    if (!existsSync(join(codeFolder, jarFolder))) {
      const jar = await ask(sandbox, '/classes', order, until);
      if (jar !== undefined) await writeWhole(join(codeFolder, jarFolder), new Map([[classesFile, jar.bytes]]));
    }
    const archive = await ask(sandbox, '/archive', order, until);
    if (archive === undefined) return { kind: 'refused', why: 'the JVM made no archive' };
    const { bytes, classPath } = archive;
    return {
      kind: 'made',
      files: new Map([
        [archiveFile, bytes],
        [classPathFile, Buffer.from(classPath)],
      ]),
    };
  } catch (error) {
    signal.throwIfAborted();
    // Whatever came instead of an answer came out of a sandbox that user code was in.
    const why = until.aborted ? `it took over ${publishJavaLimitMs / 1_000} s` : error instanceof Error ? error.message : String(error);
    return { kind: 'refused', why: why.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, shownCharacters) };
  } finally {
    sandbox.kill();
    await sandbox.ended;
  }
}

/** The classes are loaded as its instances load them. Without its secrets. */
const orderFor = ({ config: { handler, environment, memoryMiB } }: Version, codeDir: string, classesJar: string): string =>
  JSON.stringify({ codeDir, handler, classesJar, environment, memoryMiB, runLimitMs: publishJavaRunLimitMs });

interface MadeFile {
  readonly bytes: Buffer;
  readonly classPath: string;
}

/** @returns undefined when there is nothing to be made @throws Error with what the sandbox says, or is wrong with it */
async function ask({ socketPath }: BuildSandbox, path: string, order: string, signal: AbortSignal): Promise<MadeFile | undefined> {
  const asking = request({ socketPath, path, method: 'POST', signal, agent: false });
  // Whoever waits for the answer, or reads it, learns of it there.
  asking.on('error', () => undefined);
  asking.end(order);
  const [answer] = (await once(asking, 'response', { signal })) as [IncomingMessage];
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > archivedBytes) throw new Error(`it is over ${archivedBytes} bytes`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (answer.statusCode === 204) return undefined;
  if (answer.statusCode !== 200) throw new Error(bytes.toString());
  return { bytes, classPath: decodeURIComponent(String(answer.headers[classPathFile] ?? '')) };
}
