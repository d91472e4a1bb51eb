import type { Instances } from './instances.ts';

const lookEveryMs = 1_000;

/** Ends instances that ran into their limit of processes: a fork bomb keeps its host busy for as long as it lives. */
export function watchForks(instances: Instances): Disposable {
  const timer = setInterval(() => {
    for (const { id, state, version, sandbox } of instances.all) {
      if (state.kind === 'ending' || sandbox.pidsRefused() === 0) continue;
      instances.end(id, {
        code: 'FunctionCrashed',
        detail: `function "${version.function}" was ended because it started more processes and threads than a sandbox may have`,
      });
    }
  }, lookEveryMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
