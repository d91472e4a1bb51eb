/** The phases of a cold start in their order (system S1), then the two that every request has. */
export const coldPhases = ['sandbox', 'code', 'environment', 'network', 'runtime', 'init'] as const;
export type ColdPhase = (typeof coldPhases)[number];

/** Milliseconds a request waited in each phase; what a pool did beforehand is not in it. */
export type ColdPhases = Readonly<Record<ColdPhase, number>>;

export const noPhases: ColdPhases = { sandbox: 0, code: 0, environment: 0, network: 0, runtime: 0, init: 0 };

/** All phases together; 0 when there were none. */
export const totalMs = (phases: ColdPhases | undefined): number =>
  phases === undefined ? 0 : phases.sandbox + phases.code + phases.environment + phases.network + phases.runtime + phases.init;

export type Start = 'warm' | 'cold';
