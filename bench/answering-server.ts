/** A server on every address of its host: it says back each line, and for the line `load <bytes>` sends so many bytes. Says when it listens. */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  createInterface(socket).on('line', (line) => {
    const bytes = /^load (\d+)$/.exec(line)?.[1];
    socket.write(bytes === undefined ? `${line}\n` : Buffer.alloc(Number(bytes), 'x'));
  });
}).listen(Number(process.argv[2]), '0.0.0.0', () => process.stdout.write('listens\n'));
