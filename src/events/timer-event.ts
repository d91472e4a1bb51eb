/** A timer's run as an event. */
import { createHash } from 'node:crypto';
import type { EventForm } from '../model/function.ts';
import { cloudEvent } from './cloud-event.ts';
import { derivedId } from './derived-id.ts';
import type { NewEvent } from './event-log.ts';
import type { TimerRef } from './timer-store.ts';

/**
 * @param jitterMs the run is put off by a part of this
 * @param form how its function takes events
 */
export function timerEvent(ref: TimerRef, scheduledMs: number, jitterMs: number, nowMs: number, form: EventForm): NewEvent {
  const digest = createHash('sha256')
    .update(JSON.stringify([ref.tenant, ref.function, ref.timer, scheduledMs]))
    .digest();
  // One for each timer and scheduled time: it holds even where a timer's progress was lost.
  const id = derivedId(scheduledMs, digest);
  return {
    id,
    tenant: ref.tenant,
    function: ref.function,
    acceptedMs: nowMs,
    dueMs: Math.max(nowMs, scheduledMs + (digest.readUInt32BE(digest.length - 4) % (jitterMs + 1))),
    request: { kind: 'event', method: 'POST', target: '/', sourceIp: '', headers: [] },
    body: Buffer.from(JSON.stringify(form === 'cloudevents' ? asCloudEvent(ref, id, scheduledMs) : scheduledEvent(ref, id, scheduledMs))),
  };
}

const asCloudEvent = ({ function: name, timer }: TimerRef, id: string, timeMs: number): object =>
  cloudEvent({ id, type: 'swiftlet.timer', source: [name, 'timers', timer], subject: timer, timeMs, data: { timer } });

/** In the shape of EventBridge's scheduled events, whose `time` is the scheduled one here. */
const scheduledEvent = ({ tenant, function: name, timer }: TimerRef, id: string, scheduledMs: number): object => ({
  version: '0',
  id,
  'detail-type': 'Scheduled Event',
  source: 'swiftlet.timers',
  account: tenant,
  time: new Date(scheduledMs).toISOString(),
  region: 'local',
  resources: [`arn:swiftlet:timers:local:${tenant}:timer:${name}/${timer}`],
  detail: { timer },
});
