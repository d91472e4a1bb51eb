/** What an operator said about sources, which is to outlive deploys and restarts. */
import type { FunctionRef } from '../event-log.ts';

export interface SourceRef extends FunctionRef {
  /** Its name among its function's sources. */
  readonly source: string;
}

/** Names a source over the whole platform. */
export const sourceKey = ({ tenant, function: name, source }: SourceRef): string => `${tenant}/${name}/${source}`;

export interface SourceStore {
  /** Those that are paused. */
  paused(): Promise<SourceRef[]>;
  /** Durable once it resolves. */
  pause(ref: SourceRef, nowMs: number): Promise<void>;
  resume(ref: SourceRef): Promise<void>;
}
