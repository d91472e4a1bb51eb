/** A timer's run as an event. */
import { createHash } from 'node:crypto';
import type { NewEvent } from './event-log.ts';
import type { TimerRef } from './timer-store.ts';

/** @param jitterMs the run is put off by a part of this */
export function timerEvent(ref: TimerRef, scheduledMs: number, jitterMs: number, nowMs: number): NewEvent {
  const digest = createHash('sha256')
    .update(JSON.stringify([ref.tenant, ref.function, ref.timer, scheduledMs]))
    .digest();
  const id = idOf(scheduledMs, digest);
  return {
    id,
    tenant: ref.tenant,
    function: ref.function,
    acceptedMs: nowMs,
    dueMs: Math.max(nowMs, scheduledMs + (digest.readUInt32BE(digest.length - 4) % (jitterMs + 1))),
    request: { kind: 'event', method: 'POST', target: '/', sourceIp: '', headers: [] },
    body: Buffer.from(JSON.stringify(scheduledEvent(ref, id, scheduledMs))),
  };
}

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

/**
 * The id of the one event of a timer and a scheduled time: a UUID of version 7 with that time and a digest for its random part. The
 * log takes an id once, which holds even where a timer's progress was lost.
 */
function idOf(ms: number, digest: Buffer): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(ms, 0, 6);
  digest.copy(bytes, 6, 0, 10);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
