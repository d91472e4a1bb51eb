/**
 * The program of a build's sandbox. It takes one order on its socket, installs, and answers with what was installed. What packages run beside
 * it is theirs: nobody outside believes more of what it says than that it is this build's result.
 */
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { install, type InstallOrder } from './install.ts';

const controlDescriptor = 3;
let isTaken = false;

createServer((request, response) => {
  if (isTaken) {
    response.writeHead(409).end();
    return;
  }
  isTaken = true;
  const work = async () => {
    const order = (await json(request)) as InstallOrder;
    response.writeHead(200).flushHeaders();
    await install(order, response);
    response.end();
  };
  work().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
}).listen({ fd: controlDescriptor });
