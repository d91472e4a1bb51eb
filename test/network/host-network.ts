/** A host's network, as a namespace of a test's own: what others change of this machine's meanwhile is not seen. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

export interface HostNetworkState {
  readonly interfaces: readonly string[];
  readonly routes: readonly string[];
  readonly rules: readonly string[];
  readonly ruleset: readonly string[];
  readonly settings: readonly string[];
  /** Kept in the run folder. */
  readonly namespaces: number;
}

const settings = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding', 'net/ipv4/conf/all/rp_filter', 'net/ipv6/conf/lo/accept_ra'];

export class HostNetwork implements Disposable {
  readonly #name: string;

  /** @param name nobody else’s */
  constructor(name: string) {
    this.#name = name;
    execFileSync('ip', ['netns', 'add', name]);
    this.run('ip', 'link', 'set', 'lo', 'up');
  }

  /** What has a program run in it, in front of the program’s name: all else is this process’s own. */
  get entrance(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.#name}`];
  }

  /** @returns what it printed */
  run(program: string, ...args: readonly string[]): string {
    const [nsenter = '', ...into] = this.entrance;
    return execFileSync(nsenter, [...into, program, ...args], { encoding: 'utf8' });
  }

  /** All that there is. @param run the platform’s run folder */
  state(run: string): HostNetworkState {
    const lines = (program: string, ...args: readonly string[]): string[] =>
      this.run(program, ...args)
        .split('\n')
        .map((line) => line.trim().replace(/ expires \d+sec/, ''))
        .filter(Boolean);
    return {
      interfaces: lines('ip', '-br', 'link').map((line) => line.split(' ', 1)[0] ?? ''),
      routes: [...lines('ip', 'route', 'show', 'table', 'all'), ...lines('ip', '-6', 'route', 'show', 'table', 'all')].toSorted(),
      rules: [...lines('ip', 'rule'), ...lines('ip', '-6', 'rule')],
      ruleset: lines('nft', 'list', 'ruleset'),
      settings: lines(
        'sh',
        '-c',
        `cd /proc/sys; for one in ${settings.filter((name) => existsSync(`/proc/sys/${name}`)).join(' ')}; do echo $one $(cat $one); done`,
      ),
      namespaces: readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(`${run}/agent/router.ns`)).length,
    };
  }

  [Symbol.dispose](): void {
    execFileSync('ip', ['netns', 'delete', this.#name]);
  }
}
