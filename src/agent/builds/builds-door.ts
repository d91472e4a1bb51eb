/** Where control orders builds; see src/wire/build-calls.ts. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Logger } from 'pino';
import { SwiftletError } from '../../model/errors.ts';
import { type BuildOrder, buildOrderSchema, type BuildRefusal } from '../../wire/build-calls.ts';
import type { Builds } from './builds.ts';

/** @param path where the socket is made; what lies there from before is the caller's to remove */
export async function serveBuilds(path: string, builds: Pick<Builds, 'run'>, log: Logger): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    answer(request, response, builds, log).catch((error: unknown) => {
      log.error({ err: error }, 'a build could not be answered');
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, builds: Pick<Builds, 'run'>, log: Logger): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.on('error', () => undefined);
  try {
    const order: BuildOrder = buildOrderSchema.parse(JSON.parse(await text(request)));
    // Nothing is written before the build has its sandbox: until then it is refused with a status.
    await builds.run(order, response, gone.signal);
  } catch (error) {
    if (!(error instanceof SwiftletError) && !gone.signal.aborted) log.error({ err: error }, 'a build failed');
    if (!response.headersSent) refuse(response, error);
  }
  response.end();
}

function refuse(response: ServerResponse, error: unknown): void {
  const { code, message } = error instanceof SwiftletError ? error : new SwiftletError('Internal', 'a build could not be started');
  response.writeHead(500).write(JSON.stringify({ code, message } satisfies BuildRefusal));
}
