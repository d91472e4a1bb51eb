/** Has the audit trail know of every request that changes something, before it does and when it has, and of those that were refused. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Attempt, AuditResult } from '../../model/audit.ts';
import { isErrorCode } from '../../model/errors.ts';
import { everyTenant } from '../../model/rights.ts';
import type { AuditTrail } from '../audit/trail.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What was written down of it before it began. */
    attempt?: Attempt;
    /** Whether it has something shown that is hidden else, when its query does not say so. */
    reveals?: boolean;
  }
}

const changingMethods: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE'];
const refusedStatuses: readonly number[] = [401, 403, 429];
/** Of a path: what names things is shorter, and what is longer names nothing. */
const shownCharacters = 300;

/** A query that asks for what is hidden else. */
const revealMark = 'reveal';

/** Whether a request is recorded one by one: it changes something, or has something shown that is hidden else. */
const isAudited = (request: FastifyRequest): boolean => changingMethods.includes(request.method) || reveals(request);

const reveals = ({ query, reveals: saysSo = false }: FastifyRequest): boolean =>
  saysSo || (typeof query === 'object' && query !== null && Object.hasOwn(query, revealMark));

/** Runs once the caller is known and has the right. @throws SwiftletError StorageFull: what cannot be recorded is not done */
export const beginAudit =
  (trail: Pick<AuditTrail, 'begin'>, now: () => number) =>
  async (request: FastifyRequest): Promise<void> => {
    if (!isAudited(request)) return;
    const attempt = attemptOf(request, now());
    await trail.begin(attempt);
    request.attempt = attempt;
  };

/** Runs before the answer goes out, whatever it is. @param failed gets what keeps a record from being written */
export const endAudit =
  (trail: Pick<AuditTrail, 'end' | 'refused'>, now: () => number, failed: (error: unknown, requestId: string) => void) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    try {
      if (request.attempt !== undefined) await trail.end(request.attempt, resultOf(reply));
      else if (isRefused(request, reply)) await trail.refused(attemptOf(request, now()), resultOf(reply));
    } catch (error) {
      // What was done is done: the caller is to know of it. The record follows at the next start, as interrupted.
      failed(error, request.id);
    }
  };

const isRefused = (request: FastifyRequest, { statusCode }: FastifyReply): boolean =>
  request.routeOptions.url !== undefined && (refusedStatuses.includes(statusCode) || (statusCode >= 400 && isAudited(request)));

function attemptOf(request: FastifyRequest, nowMs: number): Attempt {
  const { method, routeOptions, url, ip, id } = request;
  return {
    time: new Date(nowMs).toISOString(),
    // Both are set by hooks of their own, which a request that is refused does not reach.
    tenant: Object.hasOwn(request, 'tenant') ? request.tenant : everyTenant,
    actor: Object.hasOwn(request, 'caller') ? { kind: request.caller.kind, id: request.caller.id } : { kind: 'nobody', id: '' },
    source: ip,
    action: `${method} ${routeOptions.url ?? ''}${reveals(request) ? `?${revealMark}` : ''}`,
    target: url.replace(/\?.*/s, '').slice(0, shownCharacters),
    requestId: id,
  };
}

function resultOf(reply: FastifyReply): AuditResult {
  const code = reply.getHeader('x-swiftlet-error');
  return { status: reply.statusCode, ...(isErrorCode(code) ? { code } : {}) };
}
