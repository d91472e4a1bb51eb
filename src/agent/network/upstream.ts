/** Asking the servers that know names: over UDP, and over TCP when the answer is too long for it. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import { connect, isIP, isIPv6 } from 'node:net';
import dns, { type DecodedPacket, type Question } from 'dns-packet';

const port = 53;
/** Of one attempt; each question has two, at different servers where there are. */
const attemptLimitMs = 2_000;
const attempts = 2;
const readEveryMs = 10_000;
const hostFile = '/etc/resolv.conf';
/** Where systemd-resolved tells of the servers that it asks itself, when the host’s file names only it. */
const resolvedFile = '/run/systemd/resolve/resolv.conf';

/** The servers of a resolv.conf(5). Pure. */
export const serversIn = (text: string): string[] =>
  text.split('\n').flatMap((line) => {
    const [, server] = /^\s*nameserver\s+(\S+)/.exec(line) ?? [];
    return server !== undefined && isIP(server.replace(/%.*$/, '')) !== 0 ? [server] : [];
  });

const isLoopback = (server: string): boolean => server.startsWith('127.') || server === '::1';

/** The host's servers, as its files have them. Pure. @param isApart those on the host’s loopback are out of reach @param read a file; empty when it is not there */
export function hostServers(isApart: boolean, read: (path: string) => string): string[] {
  const named = serversIn(read(hostFile));
  if (!isApart) return named;
  const reached = named.filter((server) => !isLoopback(server));
  return reached.length > 0 ? reached : serversIn(read(resolvedFile)).filter((server) => !isLoopback(server));
}

export class Upstream {
  readonly #isApart: boolean;
  readonly #fixed: readonly string[];
  #found: { readonly at: number; readonly servers: readonly string[] } = { at: -Infinity, servers: [] };

  /** @param servers to ask; empty: those that the host asks @param isApart whether this namespace has another loopback than the host */
  constructor(servers: readonly string[], isApart: boolean) {
    this.#fixed = servers;
    this.#isApart = isApart;
  }

  /** @throws Error when no server answers in time, or there is none */
  async ask(question: Question): Promise<DecodedPacket> {
    const servers = this.#servers();
    let last: unknown = new Error('the host has no name server');
    for (let attempt = 0; attempt < attempts && servers.length > 0; attempt++) {
      const server = servers[attempt % servers.length] ?? '';
      try {
        const answer = await askBy(overUdp, server, question);
        return answer.flag_tc ? await askBy(overTcp, server, question) : answer;
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  #servers(): readonly string[] {
    if (this.#fixed.length > 0) return this.#fixed;
    const now = performance.now();
    if (now - this.#found.at > readEveryMs) this.#found = { at: now, servers: hostServers(this.#isApart, readIfThere) };
    return this.#found.servers;
  }
}

const readIfThere = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

type Way = (server: string, question: Buffer, signal: AbortSignal, isAnswer: (bytes: Buffer) => boolean) => Promise<void>;

/** Sends a question with a number that nobody can guess, and takes the answer that has both. */
async function askBy(way: Way, server: string, question: Question): Promise<DecodedPacket> {
  const id = randomInt(0x10000);
  let answer: DecodedPacket | undefined;
  const isAnswer = (bytes: Buffer): boolean => {
    try {
      const packet = dns.decode(bytes);
      const [asked] = packet.questions ?? [];
      const isOurs =
        packet.type === 'response' && packet.id === id && asked?.name.toLowerCase() === question.name && asked.type === question.type;
      if (isOurs) answer = packet;
      return isOurs;
    } catch {
      return false;
    }
  };
  const query = dns.encode({ type: 'query', id, flags: dns.RECURSION_DESIRED, questions: [question] });
  await way(server, query, AbortSignal.timeout(attemptLimitMs), isAnswer);
  if (answer === undefined) throw new Error(`the name server ${server} gave no answer`);
  return answer;
}

const overUdp: Way = (server, query, signal, isAnswer) => {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
  const end = () => reject(new Error(`the name server ${server} did not answer within ${attemptLimitMs} ms`));
  signal.addEventListener('abort', end, { once: true });
  socket.on('message', (bytes) => {
    if (isAnswer(bytes)) resolve(undefined);
  });
  socket.once('error', reject);
  // Connected, so that nobody else’s packets come in, and a refusal is heard of.
  socket.connect(port, server, () => socket.send(query));
  return promise.finally(() => {
    signal.removeEventListener('abort', end);
    socket.removeAllListeners();
    socket.on('error', () => undefined);
    socket.close();
  });
};

const overTcp: Way = async (server, query, signal, isAnswer) => {
  const socket = connect({ host: server, port, signal });
  try {
    socket.write(withLength(query));
    let bytes = Buffer.alloc(0);
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk as Buffer]);
      const length = bytes.length < 2 ? Infinity : bytes.readUInt16BE(0);
      if (bytes.length >= length + 2) {
        isAnswer(bytes.subarray(2, length + 2));
        return;
      }
    }
  } finally {
    socket.destroy();
  }
};

/** A message as it goes over TCP. */
export function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
