/**
 * Our own code as V8 has compiled it, kept beside that code for the next start of a process: half of what a role's start takes is compiling, and
 * taking types away. Source: `NODE_COMPILE_CACHE` of Node.js, whose entries are found by the digest of the code.
 */
import { flushCompileCache } from 'node:module';

const variables = ['NODE_COMPILE_CACHE', 'NODE_COMPILE_CACHE_PORTABLE'];
let handed: Readonly<Record<string, string>> = {};

/** @param folder as the process sees it; where it may not write, nothing is kept @returns variables of its environment: the same for all paths that the code is seen at */
export const compiledIn = (folder: string): Record<string, string> => ({ NODE_COMPILE_CACHE: folder, NODE_COMPILE_CACHE_PORTABLE: '1' });

/** Keeps what this process has compiled until now. To be called before it gives up its rights, and before it has to do with code that is not ours. */
export function keepCompiled(): void {
  flushCompileCache();
  handed = Object.fromEntries(variables.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
  for (const name of variables) Reflect.deleteProperty(process.env, name);
}

/** For the environment of a further process of ours. */
export const compiledBefore = (): Readonly<Record<string, string>> => handed;
