/** A call that keeps an instance warm, as it is handed to a gateway. */
import { keepWarmMark } from '../model/keep-warm.ts';
import type { Version } from '../model/function.ts';
import { deliveryHeaders } from '../wire/delivery.ts';
import type { CallerRequest } from '../wire/event-calls.ts';
import { cloudEvent } from './cloud-event.ts';
import type { Delivery } from './deliver.ts';

/** @param limitMs after this it is given up */
export function warmUp({ tenant, function: name, config }: Version, id: string, nowMs: number, limitMs: number): Delivery<CallerRequest> {
  const callsHandler = config.keepWarm?.callsHandler === true;
  const event =
    config.events === 'cloudevents'
      ? cloudEvent({ id, type: keepWarmMark, source: [name], timeMs: nowMs, data: {} })
      : plainEvent(tenant, name, id, nowMs);
  return {
    id,
    tenant,
    function: name,
    // Nobody but the roles can say it: a runtime believes it.
    request: {
      kind: 'event',
      method: 'POST',
      target: '/',
      sourceIp: '',
      headers: callsHandler ? [] : [deliveryHeaders.warmUp, 'yes'],
    },
    body: Buffer.from(JSON.stringify(event)),
    hops: 0,
    isServed: true,
    limitMs,
  };
}

/** In the shape of EventBridge's scheduled events, as a timer's is. */
const plainEvent = (tenant: string, name: string, id: string, nowMs: number): object => ({
  version: '0',
  id,
  'detail-type': 'Keep Warm',
  source: keepWarmMark,
  account: tenant,
  time: new Date(nowMs).toISOString(),
  region: 'local',
  resources: [`arn:swiftlet:functions:local:${tenant}:function:${name}`],
  detail: {},
});
