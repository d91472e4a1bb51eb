/** What functions are written in, and what their starts are measured against: the bare interpreter. */
import type { PackedBundle } from '../src/build/bundle.ts';
import { barePythonStart, bareStart } from './baselines.ts';
import { packUnique, packUniquePython } from './bench-functions.ts';
import type { BareStart } from './cold-figures.ts';
import type { ConfigInput } from './control-api.ts';

export interface BenchedLanguage {
  readonly config: ConfigInput;
  /** A greeting whose code nobody else has. */
  readonly pack: (number: number) => Promise<PackedBundle>;
  /** Starts the interpreter alone. @returns milliseconds */
  readonly bare: () => Promise<number>;
  readonly bareName: BareStart;
}

export const nodeLanguage: BenchedLanguage = { config: {}, pack: packUnique, bare: bareStart, bareName: 'bare Node.js start' };

export const pythonLanguage: BenchedLanguage = {
  config: { runtime: 'python3', handler: 'index.handler' },
  pack: packUniquePython,
  bare: barePythonStart,
  bareName: 'python3 -c pass',
};
