/** The resolver's process: it reads packets of hostile code, and so has no rights, no files and nothing to ask for but pins. */
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { keepCompiled } from '../../role/compiled-code.ts';
import { lineAt, type Line } from './address-plan.ts';
import { NameService } from './name-service.ts';
import { resolverDescriptors, type ResolverNews, resolverOrderSchema, resolverSettingsSchema } from './resolver-messages.ts';
import { Upstream, withLength } from './upstream.ts';

process.title = 'swiftlet resolver';
// The agent alone decides what these mean; they reach the whole process group.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM']) process.on(signal, () => undefined);
process.once('disconnect', () => process.exit());

keepCompiled();
const { plan, servers, uid, isApart = false } = resolverSettingsSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
if (uid !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
}

const pinLimitMs = 1_000;
const connectionsAtOnce = 128;
const connectionsPerLine = 8;
const connectionIdleMs = 10_000;
const longestMessage = 0xffff;

const pinning = new Map<number, () => void>();
let lastPin = 0;
const upstream = new Upstream(servers, isApart);
const names = new NameService({
  who: (line) => tell({ kind: 'who', line }),
  ask: (question) => upstream.ask(question),
  async pin(line, indexes, found) {
    const id = ++lastPin;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const limit = setTimeout(() => reject(new Error('the agent did not open the addresses in time')), pinLimitMs);
    pinning.set(id, () => resolve(undefined));
    tell({ kind: 'pin', id, line, indexes: [...indexes], found: [...found] });
    try {
      await promise;
    } finally {
      clearTimeout(limit);
      pinning.delete(id);
    }
  },
  refused: (line, name, why) => tell({ kind: 'refused', line, name, why }),
});

process.on('message', (message) => {
  const order = resolverOrderSchema.parse(message);
  if (order.kind === 'line') names.know(order.line, order.policy);
  else pinning.get(order.id)?.();
});

function tell(news: ResolverNews): void {
  // An agent that is gone hears nothing; this process ends then.
  process.send?.(news, undefined, undefined, () => undefined);
}

/** Whose address it is: the router lets nobody use another’s. */
const lineOf = (address: string | undefined): Line | undefined => {
  const bytes = (address ?? '').split('.').map(Number);
  return bytes.length === 4 ? lineAt(plan, Buffer.from(bytes)) : undefined;
};

const udp = createSocket('udp4');
udp.on('error', () => undefined);
udp.on('message', (bytes, { address, port }) => {
  const line = lineOf(address);
  if (line === undefined) return;
  void names.answer(line, bytes).then((answer) => {
    if (answer !== undefined) udp.send(answer, port, address, () => undefined);
  });
});
udp.bind({ fd: resolverDescriptors.udp });

const connected = new Map<Line, number>();
const tcp = createServer((socket) => {
  const line = lineOf(socket.remoteAddress);
  const mine = line === undefined ? connectionsPerLine : (connected.get(line) ?? 0);
  if (line === undefined || mine >= connectionsPerLine) {
    socket.destroy();
    return;
  }
  connected.set(line, mine + 1);
  socket.once('close', () => {
    const left = (connected.get(line) ?? 1) - 1;
    if (left === 0) connected.delete(line);
    else connected.set(line, left);
  });
  socket.setTimeout(connectionIdleMs, () => socket.destroy());
  serve(socket, line).catch(() => socket.destroy());
});
tcp.maxConnections = connectionsAtOnce;
tcp.listen({ fd: resolverDescriptors.tcp });

/** Answers one question after the other. */
async function serve(socket: Socket, line: Line): Promise<void> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      const length = bytes.readUInt16BE(0);
      const answer = await names.answer(line, bytes.subarray(2, 2 + length), longestMessage);
      if (answer !== undefined) socket.write(withLength(answer));
      bytes = bytes.subarray(2 + length);
    }
  }
}
