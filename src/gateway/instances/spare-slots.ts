/** What a gateway gives to others of the instances that it has: slots that it does not use. Nothing of it happens where there is one gateway. */
import type { Spare } from '../../wire/agent-calls.ts';
import type { Agent } from './agents.ts';
import type { InstanceLink } from './instance-link.ts';
import type { Links } from './links.ts';
import type { ServedVersion } from './served-version.ts';

/** An instance that had a request so lately will have the next one. */
const restedMs = 100;

/** For so long who asked waits at the agent; then he asks again. */
const owedForMs = 1_000;

/**
 * Another gateway lacks slots of a version. What cannot be given now and is needed all the same is owed.
 * @param links all of the version
 * @param agent whose instances the slots are to be of
 */
export function spare(
  links: Links,
  agent: Agent,
  served: ServedVersion,
  { slots, isUrgent }: Pick<Spare, 'slots' | 'isUrgent'>,
  now: number,
): void {
  let wanted = slots;
  for (const link of links.byVersion().get(served) ?? []) {
    if (wanted <= 0) break;
    if (link.state !== 'open' || link.agent !== agent) continue;
    const free = link.slots - link.streams.size;
    if (link.streams.size === 0 && (isUrgent || now - link.idleSince >= restedMs) && free <= wanted) {
      wanted -= free;
      links.release(link, now);
    } else {
      const given = Math.min(wanted, isUrgent ? free : Math.floor(free / 2), link.slots - 1);
      if (given > 0) links.giveBack(link, given, now);
      wanted -= given;
    }
  }
  if (!isUrgent || wanted <= 0) return;
  served.owed += wanted;
  served.owedUntilMs = now + owedForMs;
  served.owedTo = agent;
}

/** A request has ended, and its slot is owed. */
export function payBack(links: Links, link: InstanceLink, now: number): void {
  const { served } = link;
  if (served.owedTo !== undefined && served.owedTo !== link.agent) return;
  served.owed = now > served.owedUntilMs ? 0 : served.owed - 1;
  if (now > served.owedUntilMs) return;
  if (link.slots > 1) links.giveBack(link, 1, now);
  else links.release(link, now);
}
