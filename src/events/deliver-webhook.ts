/** One delivery to a webhook: signed, to an address that the policy allows, and no further than that: no redirect is followed. */
import type { lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { ErrorCode } from '../model/errors.ts';
import type { WebhookRequest } from '../wire/event-calls.ts';
import type { AddressPolicy } from '../role/address-policy.ts';
import { guardedLookup } from '../role/guarded-lookup.ts';
import type { Outcome } from './decide.ts';
import type { Deliver, Delivery } from './deliver.ts';
import type { FunctionRef } from './event-log.ts';
import { missingVariable, type Variable } from '../wire/variables.ts';
import { signatureHeaders } from './webhook-signature.ts';

/** A receiver that takes longer has to be asked again. */
const limitMs = 10_000;

export interface WebhookMeans {
  readonly policy: AddressPolicy;
  /** A variable of the function as it is now. */
  readonly variableOf: (ref: FunctionRef, name: string) => Variable;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How names become addresses; the system's way by default. */
  readonly lookup?: typeof systemLookup;
}

/** Delivers to webhooks. Never rejects. */
export const deliverToWebhook =
  (means: WebhookMeans): Deliver<WebhookRequest> =>
  async (delivery, signal) => {
    const { secretVariable } = delivery.request;
    const secret = means.variableOf(delivery, secretVariable);
    if (secret.kind !== 'known') {
      const message = missingVariable(secret, secretVariable, delivery.function);
      return secret.kind === 'awaited' ? awaited(message) : refused(message);
    }
    try {
      return outcomeOf(await statusOf(means, delivery, secret.value, signal));
    } catch (error) {
      if (error instanceof ForbiddenAddress) return refused(error.message);
      return failed(`the webhook could not be reached: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

/** @throws ForbiddenAddress, or what came between */
async function statusOf(means: WebhookMeans, delivery: Delivery<WebhookRequest>, secret: string, signal: AbortSignal): Promise<number> {
  const url = new URL(delivery.request.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // An address in the URL is not looked up by anybody.
  if (isIP(host) !== 0 && !means.policy.allows(host)) throw new ForbiddenAddress(host);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, {
    method: 'POST',
    agent: false,
    signal,
    lookup: guardedLookup(means.policy, (what) => new ForbiddenAddress(what), means.lookup),
    headers: {
      'content-type': 'application/json',
      'content-length': delivery.body.length,
      'user-agent': 'swiftlet-webhook',
      ...signatureHeaders(delivery.id, delivery.body, secret, means.now()),
    },
  });
  // Who waits for the answer hears of it; what comes afterwards is nobody's concern.
  request.on('error', () => undefined);
  const limit = setTimeout(() => request.destroy(new Error(`no answer within ${limitMs} ms`)), limitMs);
  try {
    request.end(delivery.body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response.statusCode ?? 0;
  } finally {
    clearTimeout(limit);
    request.destroy();
  }
}

class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';

  constructor(what: string) {
    super(`webhooks may not be sent to ${what}: the address is not public; the operator can allow it with SWIFTLET_WEBHOOK_ALLOW`);
  }
}

/** Of the answer its status counts, nothing of it is kept. */
const outcomeOf = (status: number): Outcome =>
  status >= 200 && status < 300
    ? { kind: 'answered', result: { status, body: '', encoding: 'utf8', isTruncated: false } }
    : failed(`the webhook answered with status ${status}`);

const failed = (message: string): Outcome => ({ kind: 'failed', error: { code: 'WebhookFailed' satisfies ErrorCode, message } });
const awaited = (message: string): Outcome => ({ kind: 'throttled', error: { code: 'Unavailable' satisfies ErrorCode, message } });
const refused = (message: string): Outcome => ({ kind: 'refused', error: { code: 'WebhookForbidden' satisfies ErrorCode, message } });
