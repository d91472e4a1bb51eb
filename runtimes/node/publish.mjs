// The program of the sandbox in which a function's code is made ready, before its first request: one file of it, and what V8 makes of that.
// It takes one order on its socket and answers it. The code is run by a process beside it, which may do what it likes: nobody outside
// believes more of what is answered than that it is this code's.
import { bundleCode, NotBundled } from './bundle-code.mjs';
import { cacheFile, codeFile, mapFile } from './bundled-code.mjs';
import { findHandler } from './find-handler.mjs';

const { spawn } = process.getBuiltinModule('node:child_process');
const { once } = process.getBuiltinModule('node:events');
const { mkdir, readFile, writeFile } = process.getBuiltinModule('node:fs').promises;
const { createServer } = process.getBuiltinModule('node:http');
const { createRequire } = process.getBuiltinModule('node:module');
const { join } = process.getBuiltinModule('node:path');

/**
 * What the agent tells, src/agent/builds/publish-order.ts.
 * @typedef {{ codeDir: string, handler: string, external?: readonly string[], flags: readonly string[], environment: Record<string, string>, runLimitMs: number }} Order
 */

const controlDescriptor = 3;
const work = '/tmp/bundle';

/** @param {Order} order @returns {Promise<{ files: Record<string, string>, reached: string[] }>} files in base64, by name @throws NotBundled */
async function publish(order) {
  const { file } = findHandler(order.codeDir, order.handler);
  const { code, map, reached } = await bundleCode(loadEsbuild(), order.codeDir, file, order.external);
  await mkdir(work);
  await writeFile(join(work, codeFile), code);
  await writeFile(join(work, mapFile), map);
  const bundled = await run('bundle', file, order);
  // What fails in both ways fails for want of something that is not here, as a secret is.
  if (bundled !== '' && (await run('plain', file, order)) === '') throw new NotBundled(`as one file it does not load: ${bundled}`);
  const names = [codeFile, mapFile, cacheFile];
  const contents = await Promise.all(names.map((name) => readFile(join(work, name), 'base64')));
  return { files: Object.fromEntries(names.map((name, i) => [name, contents[i] ?? ''])), reached };
}

/** Not part of this program: it has a program of its own, and asks the environment where. @returns {typeof import('esbuild')} */
function loadEsbuild() {
  process.env['ESBUILD_BINARY_PATH'] = join(import.meta.dirname, 'esbuild', 'bin');
  const esbuild = createRequire(import.meta.filename)('./esbuild/lib/main.js');
  delete process.env['ESBUILD_BINARY_PATH'];
  return esbuild;
}

/** @param {'bundle' | 'plain'} what @param {string} file @param {Order} order @returns {Promise<string>} why it did not load; empty when it did */
async function run(what, file, { codeDir, flags, environment, runLimitMs }) {
  const program = join(import.meta.dirname, 'compile.cjs');
  const child = spawn(process.execPath, [...flags, program, what, work, file], {
    cwd: codeDir,
    env: { ...process.env, NODE_ENV: 'production', ...environment },
    stdio: 'ignore',
    timeout: runLimitMs,
    killSignal: 'SIGKILL',
  });
  await once(child, 'exit');
  return readFile(join(work, `${what}.end`), 'utf8').catch(() => `it did not end within ${runLimitMs} ms, or ended the process`);
}

let isTaken = false;
createServer((request, response) => {
  if (isTaken) {
    response.writeHead(409).end();
    return;
  }
  isTaken = true;
  const answer = async () => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    try {
      response.end(JSON.stringify(await publish(JSON.parse(Buffer.concat(chunks).toString()))));
    } catch (error) {
      const isReason = error instanceof NotBundled || (error instanceof Error && error.name === 'HandlerNotFound');
      response.end(JSON.stringify({ refused: isReason ? error.message : `it could not be done: ${String(error)}` }));
    }
  };
  answer().catch((error) => response.destroy(error));
}).listen({ fd: controlDescriptor });
