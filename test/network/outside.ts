/**
 * Hosts beside the one that a platform runs on, each a network namespace with public addresses at the end of a cable. Addresses are those for
 * documentation (RFC 5737, RFC 3849): while a test runs this machine routes them to its own namespaces and nowhere else.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What an outside host does, told by its process as it happens. */
export interface Heard {
  readonly kind: 'connection' | 'name';
  /** The address that somebody connected to, or the name that was asked for. */
  readonly what: string;
  /** Where it came from. */
  readonly from: string;
}

export interface Outside extends AsyncDisposable {
  readonly heard: readonly Heard[];
}

export interface OutsideOptions {
  /** Distinguishes several at once. */
  readonly name: string;
  /** CIDR ranges that are this host’s; it answers at every address of them. */
  readonly ranges: readonly string[];
  /** Names that its server knows: CNAME targets, or addresses, with the answers’ TTL in seconds. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  /** The IPv4 address of its server for names; absent: it has none. */
  readonly nameServer?: string;
  readonly ttlSeconds?: number;
  /** What it answers to HTTP on port 8080, in base64, by path; absent: it does not listen there. */
  readonly pages?: Readonly<Record<string, string>>;
}

const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

/** Makes such a host: it takes TCP connections on ports 80, 443 and 5432, says back what it is sent, and answers for names. */
export async function openOutside({ name, ranges, names = {}, nameServer, ttlSeconds = 60, pages }: OutsideOptions): Promise<Outside> {
  const namespace = `swt-${name}-${process.pid}`;
  const here = `swt${name}${process.pid}`.slice(0, 15);
  let server: ChildProcess | undefined;
  const remove = async () => {
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
    }
    // A namespace's own links and their routes go some time after it, and the next test may need the same.
    if (existsSync(`/sys/class/net/${here}`)) ip('link', 'delete', here);
    ip('netns', 'delete', namespace);
  };
  ip('netns', 'add', namespace);
  try {
    ip('link', 'add', here, 'type', 'veth', 'peer', 'name', 'out0', 'netns', namespace);
    // Else nothing is sent over IPv6 until its own address is known to be nobody else's, for some seconds.
    writeFileSync(`/proc/sys/net/ipv6/conf/${here}/accept_dad`, '0');
    ip('netns', 'exec', namespace, 'sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/out0/accept_dad');
    ip('link', 'set', here, 'up');
    ip('addr', 'add', `${hostEnd(name)}/30`, 'dev', here);
    ip('-6', 'addr', 'add', `fd99:${hex(name)}::1/64`, 'dev', here, 'nodad');
    for (const args of [
      ['link', 'set', 'lo', 'up'],
      ['link', 'set', 'out0', 'up'],
      ['addr', 'add', `${outsideEnd(name)}/30`, 'dev', 'out0'],
      ['-6', 'addr', 'add', `fd99:${hex(name)}::2/64`, 'dev', 'out0', 'nodad'],
      ['route', 'add', 'default', 'via', hostEnd(name)],
      ['-6', 'route', 'add', 'default', 'via', `fd99:${hex(name)}::1`],
      // Every address of the ranges is its own.
      ...ranges.map((range) => [...of(range), 'route', 'add', 'local', range, 'dev', 'lo']),
    ])
      ip('-n', namespace, ...args);
    for (const range of ranges) {
      const via = range.includes(':') ? `fd99:${hex(name)}::2` : outsideEnd(name);
      ip(...of(range), 'route', 'add', range, 'via', via, 'dev', here);
    }
    const script = join(import.meta.dirname, 'outside-process.ts');
    const told = JSON.stringify({ names, nameServer, ttlSeconds, pages });
    const args = ['netns', 'exec', namespace, process.execPath, '--disable-warning=ExperimentalWarning', script, told];
    const started = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    server = started;
    const heard: Heard[] = [];
    const lines = createInterface(started.stdout);
    await once(lines, 'line');
    lines.on('line', (line) => heard.push(JSON.parse(line) as Heard));
    return { heard, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

const of = (range: string): string[] => (range.includes(':') ? ['-6'] : []);
const number = (name: string): number => Buffer.from(name).reduce((sum, byte) => sum + byte, 0) % 60;
const hex = (name: string): string => number(name).toString(16);
const hostEnd = (name: string): string => `192.0.2.${4 * number(name) + 1}`;
const outsideEnd = (name: string): string => `192.0.2.${4 * number(name) + 2}`;
