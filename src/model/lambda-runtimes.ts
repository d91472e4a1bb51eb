/** Runtimes as AWS Lambda names them. */
import type { RuntimeName } from './runtimes.ts';

const runtimes: Readonly<Record<string, RuntimeName>> = {
  'nodejs22.x': 'nodejs22',
  'nodejs24.x': 'nodejs24',
  'nodejs26.x': 'nodejs26',
  // Lambda has one for each release line of Python; here there is the host's.
  'python3.x': 'python3',
  'provided.al2023': 'provided',
  'provided.al2': 'provided',
  provided: 'provided',
  // Of Java, too.
  java17: 'java',
  java21: 'java',
  java25: 'java',
};
const pythonPattern = /^python3\.(?:9|1\d)$/;

/** Those that there are, for whoever named another one. */
export const lambdaRuntimes: readonly string[] = Object.keys(runtimes);

/** @returns undefined for one that there is not */
export function runtimeOfLambda(named: string): RuntimeName | undefined {
  if (pythonPattern.test(named)) return 'python3';
  return Object.hasOwn(runtimes, named) ? runtimes[named] : undefined;
}

/** The first of Lambda's names for it; as it is where Lambda has none. */
export const lambdaNameOf = (runtime: RuntimeName): string => Object.entries(runtimes).find(([, is]) => is === runtime)?.[0] ?? runtime;
