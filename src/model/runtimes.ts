import { z } from 'zod';

/** Release lines of Node.js from the npm registry. */
export const nodeRuntimeNames = ['nodejs22', 'nodejs24', 'nodejs26'] as const;
/**
 * Programs, each a process that is started for its instance: one that asks for events at Lambda's Runtime API, one that listens on a port, and the
 * host's JVM with our runtime for it.
 */
export const programRuntimeNames = ['provided', 'http', 'java'] as const;
/** The runtimes a function can ask for: those, and the host's Python. */
export const runtimeNames = [...nodeRuntimeNames, 'python3', ...programRuntimeNames] as const;
export type NodeRuntimeName = (typeof nodeRuntimeNames)[number];
export type RuntimeName = (typeof runtimeNames)[number];
export const runtimeSchema = z.enum(runtimeNames);
export const nodeRuntimeSchema = z.enum(nodeRuntimeNames);
/** Those whose dependencies the platform can install. */
export const buildRuntimeSchema = z.enum([...nodeRuntimeNames, 'python3']);
export type BuildRuntimeName = z.output<typeof buildRuntimeSchema>;
export const defaultRuntime = 'nodejs26';

/** What the functions of a runtime are: modules of a language that the runtime loads, or programs that it starts. */
export type Language = 'nodejs' | 'python' | 'program';

export function languageOf(runtime: RuntimeName): Language {
  if (runtime === 'python3') return 'python';
  return programRuntimeNames.some((name) => name === runtime) ? 'program' : 'nodejs';
}
