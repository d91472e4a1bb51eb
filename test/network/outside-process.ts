/** What runs on a host outside: it says back what it is sent, answers for names, and tells of both on its standard output. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createWeb } from 'node:http';
import { createServer } from 'node:net';
import dns, { type Answer } from 'dns-packet';

const { names, nameServer, ttlSeconds, pages } = JSON.parse(process.argv[2] ?? 'null') as {
  names: Record<string, string[]>;
  nameServer?: string;
  ttlSeconds: number;
  pages?: Record<string, string>;
};
const tell = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);
const ports = [80, 443, 5432];

const servers = ports.map((port) =>
  createServer((socket) => {
    tell({ kind: 'connection', what: `${socket.localAddress ?? ''}:${port}`, from: socket.remoteAddress });
    socket.on('error', () => undefined);
    socket.pipe(socket);
  }).listen(port, '::'),
);

function answersFor(name: string, type: string): Answer[] {
  return (names[name] ?? []).flatMap((found): Answer[] => {
    if (found.includes(':')) return type === 'AAAA' ? [{ type: 'AAAA', name, ttl: ttlSeconds, data: found }] : [];
    if (/^[\d.]+$/.test(found)) return type === 'A' ? [{ type: 'A', name, ttl: ttlSeconds, data: found }] : [];
    return [{ type: 'CNAME', name, ttl: ttlSeconds, data: found }, ...answersFor(found, type)];
  });
}

const resolver = createSocket('udp4');
resolver.on('message', (bytes, from) => {
  const asked = dns.decode(bytes);
  const [question] = asked.questions ?? [];
  if (question === undefined) return;
  tell({ kind: 'name', what: question.name, from: from.address });
  // A server that says nothing.
  if (question.name === 'silent.test') return;
  const known = question.name in names;
  const flags = dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE | (known ? 0 : 3);
  const answer = dns.encode({
    type: 'response',
    id: asked.id ?? 0,
    flags,
    questions: [question],
    answers: answersFor(question.name, question.type),
  });
  resolver.send(answer, from.port, from.address);
});
const web = createWeb(({ url = '', socket }, response) => {
  tell({ kind: 'connection', what: url, from: socket.remoteAddress });
  const page = pages?.[url];
  if (page === undefined) response.writeHead(404);
  // As those of an index of packages, which are looked at for their links.
  else if (url.endsWith('/')) response.writeHead(200, { 'content-type': 'text/html' });
  response.end(Buffer.from(page ?? '', 'base64'));
});
const ready = servers.map((server) => once(server, 'listening'));
if (nameServer !== undefined) ready.push(once(resolver.bind(53, nameServer), 'listening'));
if (pages !== undefined) ready.push(once(web.listen(8080, '::'), 'listening'));
await Promise.all(ready);
tell({ kind: 'ready' });
