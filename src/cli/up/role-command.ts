/** How a role's process is started. */
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiledIn } from '../../role/compiled-code.ts';
import { packageFolder } from '../../role/package-folder.ts';
import type { RoleConfig, RoleName } from '../../role/role-config.ts';
import { siblingModule } from '../../role/sibling-module.ts';

export interface RoleCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** Where a role that gives up its rights finds the code and its data: below the run folder, in a mount namespace of its own. */
export const codeMount = (run: string): string => join(run, 'code');
export const dataMount = (run: string, role: string): string => join(run, role, 'data');

/**
 * V8 lets garbage pile up by what the machine has, for tens of MiB a role. What a role makes is short-lived, so that it is cheap to
 * collect early; only the gateway makes so much of it that V8's usual young space pays.
 */
const nodeFlagsOf = (role: RoleName): string[] => [
  '--disable-warning=ExperimentalWarning',
  ...(role === 'gateway' ? [] : ['--max-semi-space-size=2', '--initial-old-space-size=16']),
];
/** Hangs two folders where the role can reach them, whatever lies above them on the host, and becomes the role. */
const bindAndRun = 'mkdir -p "$2" && mount --bind "$1" "$2" && mount --bind "$3" "$4" && cd "$4" && shift 4 && exec "$@"';

/** @param entrance what is to stand in front of a role’s own command */
export function enteredBy(entrance: readonly string[], { command, args, cwd }: RoleCommand): RoleCommand {
  const [program, ...rest] = [...entrance, command];
  return { command: program, args: [...rest, ...args], cwd };
}

/**
 * A role that keeps its rights runs as it is. One that gives them up may not reach a checkout or a data folder that lies below a folder
 * of mode 0700, as a home often is: it gets both mounted in a namespace of its own, which ends with it.
 */
/** @returns where the role's code is kept compiled, as variables of its environment: one place for all data folders */
export function compiledCode({ run, identity }: Pick<RoleConfig, 'run' | 'identity'>): Record<string, string> {
  const root = codeRoot();
  const folder = join(packageFolder, 'node_modules', '.cache', 'swiftlet');
  return compiledIn(identity === undefined ? folder : join(codeMount(run), basename(root), relative(root, folder)));
}

export function roleCommand({ role, run, home, identity }: RoleConfig): RoleCommand {
  const main = fileURLToPath(siblingModule(import.meta.url, `../../${role}/main`));
  const data = join(home, role);
  if (identity === undefined) return { command: process.execPath, args: [...nodeFlagsOf(role), main], cwd: data };
  const root = codeRoot();
  const mounted = join(codeMount(run), basename(root));
  const inside = (path: string) => join(mounted, relative(root, path));
  const mounts = [root, mounted, data, dataMount(run, role)];
  const node = process.execPath.startsWith(`${root}/`) ? inside(process.execPath) : process.execPath;
  const args = [
    '--mount',
    '--propagation',
    'private',
    '/bin/sh',
    '-c',
    bindAndRun,
    'sh',
    ...mounts,
    node,
    ...nodeFlagsOf(role),
    inside(main),
  ];
  return { command: '/usr/bin/unshare', args, cwd: '/' };
}

/** The folder that holds this package and everything it imports: an installed package's dependencies lie beside it. */
export function codeRoot(): string {
  const parent = dirname(packageFolder);
  return basename(parent) === 'node_modules' ? parent : packageFolder;
}
