// A server with a WebSocket, by hand: it says the caller's messages back, each in two frames, and closes when the caller does.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const accept = (key) => createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** A short text, or a close frame; unmasked. */
function frameIn(bytes) {
  const length = bytes[1] & 0x7f;
  const mask = bytes.subarray(2, 6);
  const payload = Buffer.from(bytes.subarray(6, 6 + length).map((byte, at) => byte ^ mask[at % 4]));
  return { kind: bytes[0] & 0x0f, payload, rest: bytes.subarray(6 + length) };
}

const server = createServer((_request, response) => response.end('no handshake'));
server.on('upgrade', (request, socket, head) => {
  if (request.url === '/closed') {
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 9\r\nconnection: close\r\n\r\nnot today');
    return;
  }
  const greeting = `open ${request.headers['sec-websocket-extensions'] ?? 1}`;
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Mine: yes\r\n` +
      `Sec-WebSocket-Accept: ${accept(request.headers['sec-websocket-key'])}\r\n\r\n`,
  );
  socket.write(Buffer.concat([Buffer.from([0x81, greeting.length]), Buffer.from(greeting)]));
  let came = head;
  const take = () => {
    while (came.length >= 6 && came.length >= 6 + (came[1] & 0x7f)) {
      const { kind, payload, rest } = frameIn(came);
      came = rest;
      if (kind === 8) {
        console.log('closed', payload.length < 2 ? 1005 : payload.readUInt16BE(0));
        socket.end(Buffer.concat([Buffer.from([0x88, payload.length]), payload]));
      } else if (String(payload) === 'exit') process.exit(3);
      else socket.write(Buffer.concat([Buffer.from([0x01, 0x03]), Buffer.from('say'), Buffer.from([0x80, payload.length]), payload]));
    }
  };
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    came = Buffer.concat([came, chunk]);
    take();
  });
});
server.listen(process.env.PORT);
