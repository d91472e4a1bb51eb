/** What a simulation compares: how a function's instances are kept and scaled. */
import type { FunctionConfig } from '../model/function.ts';

export interface Policy {
  readonly name: string;
  /** Whether the autoscaler has its say; without it there are those who wait, and the idle time. */
  readonly isScaled: boolean;
  readonly config: FunctionConfig;
}
