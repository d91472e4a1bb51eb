// The program of the sandbox in which a function in Java is made ready, before its first request: a jar of its classes, and an archive of what
// its start loads. The code is run by a JVM beside it, which may do what it likes: nobody outside believes more of what is answered than that it
// is this code's.
import { archiveFile, classPathFile, classPathOf, findJava, hasOwnFiles, packingCommand, rehearsalCommand } from './java-command.mjs';

const { spawn } = process.getBuiltinModule('node:child_process');
const { once } = process.getBuiltinModule('node:events');
const { createReadStream, existsSync, statSync } = process.getBuiltinModule('node:fs');
const { createServer } = process.getBuiltinModule('node:http');
const { join } = process.getBuiltinModule('node:path');

/**
 * What the agent tells, src/agent/builds/publish-java.ts.
 * @typedef {{ codeDir: string, handler: string, classesJar: string, environment: Record<string, string>, memoryMiB: number, runLimitMs: number }} Order
 */

const controlDescriptor = 3;
const work = '/tmp';
const lastWordsCharacters = 500;

/**
 * What may be asked for, by path. Each makes one file, or none.
 * @type {Readonly<Record<string, (order: Order) => Promise<string | undefined>>>}
 */
const makers = {
  '/classes': async (order) => {
    if (!hasOwnFiles(order.codeDir)) return undefined;
    const jar = join(work, 'classes.jar');
    await run(packingCommand(order.codeDir, jar), order);
    return jar;
  },
  '/archive': async (order) => {
    const archive = join(work, archiveFile);
    await run(rehearsalCommand({ ...order, classPath: classPathFor(order) }, archive), order);
    return archive;
  },
};

/** @param {Order} order */
const classPathFor = ({ codeDir, classesJar }) => classPathOf(codeDir, undefined, classesJar);

/** @param {import('./java-command.mjs').Command} command @param {Order} order @throws Error with the last words of what failed */
async function run({ words, environment: more }, { codeDir, environment, runLimitMs }) {
  const child = spawn(findJava().java, words, {
    cwd: codeDir,
    env: { ...process.env, LAMBDA_TASK_ROOT: codeDir, ...environment, ...more },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: runLimitMs,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-lastWordsCharacters);
  });
  const [code, signal] = await once(child, 'close');
  if (signal === 'SIGKILL') throw new Error(`it did not end within ${runLimitMs} ms`);
  if (code !== 0) throw new Error(`the JVM ended with ${code ?? signal}: ${said}`);
}

createServer((request, response) => {
  const answer = async () => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const order = JSON.parse(Buffer.concat(chunks).toString());
    try {
      const file = await makers[request.url ?? '']?.(order);
      if (file === undefined) response.writeHead(204).end();
      else if (!existsSync(file)) throw new Error('the JVM made none');
      else {
        response.writeHead(200, { 'content-length': statSync(file).size, [classPathFile]: encodeURIComponent(classPathFor(order)) });
        createReadStream(file).pipe(response);
      }
    } catch (error) {
      response.writeHead(422).end(String(error));
    }
  };
  answer().catch((error) => response.destroy(error));
}).listen({ fd: controlDescriptor });
