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
  /** How long the network took meanwhile. */
  readonly networkMs: number;
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
  const { asked, taken, attached, ready, networkMs } = moments;
  const runtimeFrom = bootOfRuntime(moments, boot);
  const network = Math.min(networkMs, attached - taken);
  const environment = Math.min(environmentMs, attached - taken - network);
  const init = Math.min(initMs, ready - attached);
  const spans = inARow([
    ['sandbox', runtimeFrom - asked],
    ...(runtimeFrom < taken ? ([['runtime', taken - runtimeFrom]] as const) : []),
    ['environment', environment],
    ['code', attached - taken - environment - network],
    ['network', network],
    ['runtime', ready - attached - init],
    ['init', init],
  ]);
  const sandbox = boot === undefined ? 0 : before(asked, boot.began, boot.created);
  const runtime = boot === undefined ? 0 : before(asked, boot.created, boot.booted);
  return { spans, prepaid: { ...noPhases, sandbox, code: toMicroseconds(codeMs), runtime } };
}

/** When a start that failed came how far: the code was let in, or it was not. */
export interface FailedMoments extends Omit<StartMoments, 'attached' | 'ready'> {
  readonly attached: number | undefined;
  readonly failed: number;
}

/** The phases of a start that failed in its sandbox. Its runtime tells nothing any more: all after the code was let in counts as init. */
export function failedTimes({ attached, failed, ...moments }: FailedMoments, prepared: Prepared): StartTimes {
  const reached = attached ?? failed;
  return startTimes({ ...moments, attached: reached, ready: failed }, prepared, {
    environmentMs: 0,
    runtimeMs: 0,
    initMs: failed - reached,
  });
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

/** What a start took altogether, in milliseconds. */
export const startedInMs = ({ spans }: Pick<StartTimes, 'spans'>): number => spans.reduce((sum, { ms }) => sum + ms, 0);
