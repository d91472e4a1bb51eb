import { z } from 'zod';

/** The phases of a cold start in their order (system S1). */
export const coldPhases = ['sandbox', 'code', 'environment', 'network', 'runtime', 'init'] as const;
export type ColdPhase = (typeof coldPhases)[number];

const ms = z.number();
/** Milliseconds in each phase. */
export const phasesSchema = z.object({ sandbox: ms, code: ms, environment: ms, network: ms, runtime: ms, init: ms }).readonly();
export type ColdPhases = z.output<typeof phasesSchema>;

export const noPhases: ColdPhases = { sandbox: 0, code: 0, environment: 0, network: 0, runtime: 0, init: 0 };

/** A stretch of a start that was spent in one phase: when it began, and how long it took, in milliseconds. */
export const phaseSpanSchema = z.object({ phase: z.enum(coldPhases), atMs: ms, ms: ms.min(0) }).readonly();
export type PhaseSpan = z.output<typeof phaseSpanSchema>;

/** More stretches than any start has. */
const maxSpans = 32;

/** How a start went, as its agent tells it. */
export const startTimesSchema = z.object({
  /** In their order and without gaps, counted from when the start was asked for. A phase may have more than one. */
  spans: z.array(phaseSpanSchema).max(maxSpans).readonly(),
  /** What had been done before anybody asked: by a pool, or at publish. Nobody waited for it. */
  prepaid: phasesSchema,
});
export type StartTimes = Readonly<z.output<typeof startTimesSchema>>;

export const noTimes: StartTimes = { spans: [], prepaid: noPhases };

/** All phases together; 0 when there were none. */
export const totalMs = (phases: ColdPhases | undefined): number =>
  phases === undefined ? 0 : phases.sandbox + phases.code + phases.environment + phases.network + phases.runtime + phases.init;

/** What lies behind moment 0 of each phase: with spans that count from a request's arrival, what that request waited for. */
export function waitedPhases(spans: readonly PhaseSpan[]): ColdPhases {
  const waited = { ...noPhases };
  for (const span of spans) waited[span.phase] += Math.max(0, Math.min(span.ms, span.atMs + span.ms));
  return waited;
}

/** The length of one phase, whether anybody waited for it or not. */
export const lengthOf = (spans: readonly PhaseSpan[], phase: ColdPhase): number =>
  spans.reduce((sum, span) => (span.phase === phase ? sum + span.ms : sum), 0);

/** Milliseconds with the three decimals that are kept of them. */
export const toMicroseconds = (value: number): number => Math.round(value * 1000) / 1000;

/**
 * How a request found its instance: ready; frozen, and thawed for it; hibernated, and awakened for it; ready because the function has instances provisioned; or not at all,
 * so that it waited for a start.
 */
export const starts = ['warm', 'thawed', 'awakened', 'provisioned', 'cold'] as const;
export type Start = (typeof starts)[number];
