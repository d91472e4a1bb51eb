/** The moment from which a request has its instance. */
import { totalMs } from '../../model/phases.ts';
import type { Exchange } from './exchange.ts';
import type { InstanceLink } from '../instances/instance-link.ts';
import { type StartedInstance, waitFor } from '../instances/waited-start.ts';

/** Its instance has it, or is there at last: the handler's time counts from here. */
export function begin(exchange: Exchange, link: InstanceLink, now: number): void {
  exchange.state = 'dispatched';
  exchange.served.load.began(now);
  exchange.start = link.start;
  exchange.queueMs = Math.max(0, now - exchange.arrivedAt - totalMs(exchange.waitedStart?.waited));
  exchange.dispatchedAt = now;
  exchange.deadline = now + exchange.served.version.config.timeoutMs;
  link.answers.began(now);
}

/** Notes what it waited for, which was there when it was handed to its instance. @param start absent: nothing */
export function addWait(exchange: Exchange, start: StartedInstance | undefined, now: number): void {
  if (start !== undefined) exchange.waitedStart = waitFor(start, now - exchange.arrivedAt);
}

/** It waited for an instance, although there is none. @param start how far it came, where that is known */
export function noteVainWait(exchange: Exchange, start: StartedInstance | undefined, now: number): void {
  exchange.start = 'cold';
  addWait(exchange, start, now);
}
