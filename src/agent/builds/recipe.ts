/** How dependencies are installed in a build's sandbox, by what a function is written in. */
import { installationOf } from '../../build/installation.ts';
import type { InstallOrder } from '../../build/inside/install.ts';
import { SwiftletError } from '../../model/errors.ts';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { type BuildRuntimeName, defaultRuntime } from '../../model/runtimes.ts';
import type { BuildOrder } from '../../wire/build-calls.ts';
import type { InstalledRuntime, Runtimes } from '../runtimes/installed-runtime.ts';
import { runtimeFiles } from '../runtimes/runtimes.ts';
import { npmCommand, npmEnvironment } from './npm-command.ts';
import { pipCommand, pipEnvironment } from './pip-command.ts';

/** Where packages come from. */
export interface Origin {
  readonly registry: string;
  /** All that such a build may reach. */
  readonly policy: NetworkPolicy;
}

export type Origins = Readonly<Record<'npm' | 'pip', Origin>>;

export interface Recipe {
  /** The Node.js that the program of the build runs on. */
  readonly boots: InstalledRuntime;
  readonly policy: NetworkPolicy;
  readonly order: Pick<InstallOrder, 'command' | 'environment' | 'makes' | 'name'>;
}

/** @throws SwiftletError RuntimeUnknown, or IsolationUnavailable when packages for Python cannot be installed here */
export function recipeOf({ runtime, scripts }: Pick<BuildOrder, 'runtime' | 'scripts'>, runtimes: Runtimes, origins: Origins): Recipe {
  const { program, makes } = installationOf(runtime);
  const { registry, policy } = origins[program];
  const named = { name: program, makes };
  if (runtime !== 'python3') {
    const order = { ...named, command: npmCommand({ scripts, registry }), environment: npmEnvironment(runtime) };
    return { boots: runtimeFiles(runtimes, runtime), policy, order };
  }
  const { interpreter } = runtimeFiles(runtimes, runtime);
  const lacks = lacksForPython(runtimes);
  if (lacks !== undefined) throw new SwiftletError('IsolationUnavailable', lacks);
  const order = { ...named, command: pipCommand({ interpreter, scripts }), environment: pipEnvironment({ registry }) };
  return { boots: runtimeFiles(runtimes, defaultRuntime), policy, order };
}

const python = 'python3' satisfies BuildRuntimeName;

/** Why packages for Python cannot be installed on this host; undefined when they can. */
export function lacksForPython(runtimes: Runtimes): string | undefined {
  const installed = runtimes.get(python);
  if (installed === undefined) return 'this host has no Python';
  if (installed.shown !== undefined) return `the host's Python is not in /usr; its packages are installed where you deploy (--build local)`;
  if (installed.hasPip !== true) return `the host's Python has no pip: apt-get install python3-pip, and restart the platform`;
  return undefined;
}
