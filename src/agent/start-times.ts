/** How long a start took in each phase, and what had been done before it: worked out from moments of the agent's clock. */
import { type ColdPhase, noPhases, type PhaseSpan, type StartTimes, toMicroseconds } from '../model/phases.ts';
import type { InitReport } from '../wire/instance-protocol.ts';

/** When a sandbox was made. */
export interface BootMoments {
  readonly began: number;
  /** Its processes are there; the runtime boots. */
  readonly created: number;
  readonly booted: number;
}

/** When a start came how far. */
export interface StartMoments {
  readonly asked: number;
  readonly taken: number;
  readonly attached: number;
  readonly ready: number;
}

/** What was there when the start was asked for. */
export interface Prepared {
  /** Absent when an earlier agent booted the sandbox: nobody knows then. */
  readonly boot: BootMoments | undefined;
  /** How long it had taken to place the code on this host; 0 when it was not there yet. */
  readonly codeMs: number;
}

/**
 * The phases of a start. They follow each other without gaps: of what was done side by side, time counts for what the start waited for,
 * and so the phases add up to the whole. The runtime sets the environment while the code comes: that time is the environment's.
 */
export function startTimes(moments: StartMoments, { boot, codeMs }: Prepared, { environmentMs, initMs }: InitReport): StartTimes {
  const { asked, taken, attached, ready } = moments;
  const runtimeFrom = bootOfRuntime(moments, boot);
  const environment = Math.min(environmentMs, attached - taken);
  const init = Math.min(initMs, ready - attached);
  const spans = inARow([
    ['sandbox', runtimeFrom - asked],
    ...(runtimeFrom < taken ? ([['runtime', taken - runtimeFrom]] as const) : []),
    ['environment', environment],
    ['code', attached - taken - environment],
    ['network', 0],
    ['runtime', ready - attached - init],
    ['init', init],
  ]);
  const sandbox = boot === undefined ? 0 : before(asked, boot.began, boot.created);
  const runtime = boot === undefined ? 0 : before(asked, boot.created, boot.booted);
  return { spans, prepaid: { ...noPhases, sandbox, code: toMicroseconds(codeMs), runtime } };
}

/** From when a start waited for its sandbox's runtime to boot; when it is taken, if it did not. */
function bootOfRuntime({ asked, taken }: StartMoments, boot: BootMoments | undefined): number {
  if (boot === undefined || boot.booted <= asked) return taken;
  return Math.min(Math.max(boot.created, asked), taken);
}

function inARow(lengths: readonly (readonly [phase: ColdPhase, ms: number])[]): PhaseSpan[] {
  let at = 0;
  return lengths.map(([phase, ms]) => {
    const span = { phase, atMs: toMicroseconds(at), ms: toMicroseconds(ms) };
    at += ms;
    return span;
  });
}

const before = (asked: number, from: number, to: number): number => toMicroseconds(Math.max(0, Math.min(to, asked) - from));
