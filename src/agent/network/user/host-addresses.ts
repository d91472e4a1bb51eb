/** Which addresses the host has, as a process in another network namespace finds out: from those of one that is in the host's. */
import { readFileSync } from 'node:fs';
import { addressText } from '../address-plan.ts';
import type { HostAddresses } from './user-rules.ts';

const lookEveryMs = 1_000;
/** Of a route in /proc/net/ipv6_route that leads to this machine: RTF_LOCAL, RTF_ANYCAST. */
const localRoutes = 0x8010_0000;
const flagsField = 8;

/** Pure. @param text of /proc/net/fib_trie */
export function addresses4(text: string): string[] {
  const found: string[] = [];
  let address = '';
  for (const line of text.split('\n')) {
    address = /\|-- ([\d.]+)$/.exec(line)?.[1] ?? address;
    const [, prefix] = /^\s*\/(\d+) host LOCAL/.exec(line) ?? [];
    if (prefix !== undefined) found.push(`${address}/${prefix}`);
  }
  return found;
}

/** Pure. @param text of /proc/net/ipv6_route */
export function addresses6(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(/\s+/);
    const isLocal = (Number.parseInt(fields[flagsField] ?? '0', 16) & localRoutes) !== 0;
    return isLocal ? [`${addressText(Buffer.from(fields[0] ?? '', 'hex'))}/${Number.parseInt(fields[1] ?? '80', 16)}`] : [];
  });
}

/** Looks every second, and tells what is new. */
export class HostAddressWatch implements Disposable {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #last: HostAddresses;

  /** @param pid of a process in the host’s namespace @param onChange takes all of them @throws Error when it cannot be looked at */
  constructor(pid: number, onChange: (addresses: HostAddresses) => void) {
    this.#pid = pid;
    this.#last = this.#read();
    this.#timer = setInterval(() => {
      const now = this.#readOrLast();
      if (now.symmetricDifference(this.#last).size === 0) return;
      this.#last = now;
      onChange(now);
    }, lookEveryMs).unref();
  }

  get addresses(): HostAddresses {
    return this.#last;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** A process that is gone says nothing more; its platform ends then. */
  #readOrLast(): HostAddresses {
    try {
      return this.#read();
    } catch {
      return this.#last;
    }
  }

  #read(): HostAddresses {
    const read = (name: string) => readFileSync(`/proc/${this.#pid}/net/${name}`, 'utf8');
    return new Set([...addresses4(read('fib_trie')), ...addresses6(read('ipv6_route'))]);
  }
}
