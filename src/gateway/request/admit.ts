/** Whether a request may come in at all: the limits that are known before anything is done for it. */
import { SwiftletError } from '../../model/errors.ts';
import { maxBodyBytes } from '../../model/limits.ts';
import { passage } from '../protection/circuit.ts';
import { callerTimeMs, expectedWaitMs, timeoutHeader } from './deadline.ts';
import { bodyTooLarge } from './dispatch.ts';
import type { Exchange } from './exchange.ts';
import type { Shared } from './shared-admission.ts';
import type { ServedVersion } from '../instances/served-version.ts';

/**
 * Takes a request in, or says why not. One that is taken in has taken a token of each rate, and knows how long its caller waits and whether
 * it is the one that shows if a version that failed does well again.
 * @param inFlight requests of its tenant that are under way or wait at this gateway
 * @param tenantInFlight how many they may be at most where its quotas do not say it
 * @param shared what was found of limits that other gateways count, too; undefined where there are none
 */
export function admit(
  exchange: Exchange,
  inFlight: number,
  tenantInFlight: number,
  now: number,
  shared?: Shared,
): SwiftletError | undefined {
  const { served, request, sourceIp, origin } = exchange;
  if (exchange.bodyLength > maxBodyBytes) return bodyTooLarge();
  const leftMs = origin.deadlineMs === Number.POSITIVE_INFINITY ? origin.deadlineMs : origin.deadlineMs - Date.now();
  const callerMs = callerTimeMs(request.headers[timeoutHeader], leftMs);
  if (callerMs instanceof SwiftletError) return callerMs;
  const waitsMs = Math.min(callerMs, exchange.taken?.open.route.timeoutMs ?? callerMs);
  exchange.callerDeadline = now + waitsMs;
  return (
    (shared === undefined
      ? (tooMany(served, inFlight, tenantInFlight) ??
        served.meter.refusal(inFlight, tenantInFlight, now) ??
        served.guard.rates.take(served.version.function, request.headers, sourceIp, now))
      : overShared(served, shared, tenantInFlight)) ??
    recentFailure(served, now) ??
    queueFull(served) ??
    tooLate(served, waitsMs, waitsMs < callerMs ? 'its route allows' : 'the caller waits') ??
    circuitOpen(exchange, now)
  );
}

/** As one gateway would say it that had what all have together. */
function overShared(served: ServedVersion, { lacks, rated }: Shared, tenantInFlight: number): SwiftletError | undefined {
  const most = served.meter.quotas.concurrency ?? tenantInFlight;
  return (
    (lacks === 'function' ? tooMany(served, most + served.guard.share.reserved, tenantInFlight, Infinity) : undefined) ??
    served.meter.refusal(lacks === 'tenant' ? most : 0, tenantInFlight) ??
    rated
  );
}

const takesNone = (name: string): SwiftletError =>
  new SwiftletError('TooManyRequests', `function "${name}" takes no requests: its "protect.reserved" is 0; raise it, or leave it out`, {
    limit: '0 requests at once',
  });

/** More than the function may have at once, or than is left to it by others of its tenant; what the tenant may have is its meter's to say. */
function tooMany(
  { version, guard, meter }: ServedVersion,
  inFlight: number,
  tenantInFlight: number,
  own = guard.inFlight,
): SwiftletError | undefined {
  const { reservedConcurrency } = guard.config;
  if (reservedConcurrency !== undefined) {
    if (own < reservedConcurrency) return undefined;
    if (reservedConcurrency === 0) return takesNone(version.function);
    const limit = `${reservedConcurrency} requests at once`;
    return new SwiftletError(
      'TooManyRequests',
      `function "${version.function}" has its reserved ${limit} under way already; send fewer at once, or raise "protect.reserved"`,
      { limit },
    );
  }
  const { reserved, reservedInFlight } = guard.share;
  if (reserved === 0) return undefined;
  const room = Math.max(0, (meter.quotas.concurrency ?? tenantInFlight) - reserved);
  if (inFlight - reservedInFlight < room) return undefined;
  const limit = `${room} requests at once`;
  return new SwiftletError(
    'TooManyRequests',
    `${room} requests are under way already (${reserved} more are reserved for other functions); send fewer at once`,
    { limit },
  );
}

/** Its last start failed, and none is tried for a while. */
const recentFailure = ({ lastFailure, instances, pausedUntil }: ServedVersion, now: number): SwiftletError | undefined =>
  lastFailure !== undefined && instances === 0 && now < pausedUntil ? lastFailure : undefined;

function queueFull({ version, waiting, free }: ServedVersion): SwiftletError | undefined {
  const { queueLength } = version.config;
  if (waiting < queueLength || free.length > 0) return undefined;
  return new SwiftletError(
    'QueueFull',
    `${waiting} requests wait for function "${version.function}" already; raise "queue.length" or "maximum", or send fewer at once`,
  );
}

/** Nobody is made to wait who would be told that his time is over. Where instances can still be started, nobody knows how long it takes. */
function tooLate(
  { version, free, waiting, instances, starting, handlerMs }: ServedVersion,
  waitsMs: number,
  who: string,
): SwiftletError | undefined {
  const { function: name, config } = version;
  if (free.length > 0 || waiting === 0 || instances + starting < config.maximum) return undefined;
  const waitMs = expectedWaitMs({ waiting, instances, slots: config.concurrency, meanMs: handlerMs.value });
  const limitMs = Math.min(waitsMs, config.queueTimeoutMs);
  if (waitMs <= limitMs) return undefined;
  const whose = waitsMs < config.queueTimeoutMs ? who : '"queue.timeout" allows';
  return new SwiftletError(
    'DeadlineUnreachable',
    `${waiting} requests wait for the ${instances} instances of function "${name}": one more would wait some ${Math.round(waitMs)} ms, and ${whose} ${limitMs} ms; send it later, or raise "maximum"`,
    { retryAfterMs: waitMs - limitMs },
  );
}

/** Its version failed too often, and is left alone; one request at a time may try whether it does well again. */
function circuitOpen(exchange: Exchange, now: number): SwiftletError | undefined {
  const { served } = exchange;
  const { version, circuit } = served;
  const through = passage(circuit, version.config.timeoutMs + version.config.queueTimeoutMs, now);
  if (through.kind === 'pass') return undefined;
  if (through.kind === 'probe') {
    served.circuit = through.circuit;
    exchange.isProbe = true;
    return undefined;
  }
  const { retryAfterMs } = through;
  const detail = `version ${version.number} of function "${version.function}" failed too often and is left alone for ${Math.ceil(retryAfterMs / 1_000)} s; its log says why`;
  return new SwiftletError('CircuitOpen', detail, { retryAfterMs });
}
