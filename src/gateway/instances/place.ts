/**
 * Which of several agents an instance is asked of. Pure: what agents have said, what this gateway has asked of them since, and chance.
 *
 * An instance that waits comes before a start. Of those that can start, one that has the code comes before one that has to fetch it; of two of these, drawn
 * by chance, the one with a warm sandbox, and then the one with less on it. Two gateways that know the same so do not both go where it is
 * emptiest, and all that comes at once does not either: the power of two choices.
 */
import type { AgentNumber } from '../../model/fleet.ts';

/** An agent, as a gateway sees it. */
export interface Seat {
  readonly agent: AgentNumber;
  /** Whether there is a connection to it, and it has not just refused the version. */
  readonly isOpen: boolean;
  /** Instances of the version that nobody has, less those that this gateway has asked for. */
  readonly resting: number;
  /** Instances that the version's function may start there yet, less those. */
  readonly room: number;
  /** Sandboxes that may be instances there yet, less all that this gateway has asked for; and how many there can be. */
  readonly places: number;
  readonly capacity: number;
  readonly freeMiB: number;
  readonly hasCode: boolean;
  /** Warm sandboxes of the kind that the version needs, less those asked for. */
  readonly warm: number;
}

/**
 * @param seats those that may have the version
 * @param neededMiB what an instance of it may take
 * @param chance from 0 to 1, exclusive
 * @returns undefined when none is open
 */
export function place(seats: readonly Seat[], neededMiB: number, chance: () => number): AgentNumber | undefined {
  const open = seats.filter(({ isOpen }) => isOpen);
  if (open.length < 2) return open[0]?.agent;
  const waiting = open.filter(({ resting }) => resting > 0);
  if (waiting.length > 0) return better(waiting, (one, other) => other.resting - one.resting, chance).agent;
  const able = open.filter(({ room, places, freeMiB }) => room > 0 && places > 0 && freeMiB >= neededMiB);
  // Where none can, one of them says why not.
  const candidates = able.length > 0 ? able : open;
  const ready = candidates.filter(({ hasCode }) => hasCode);
  return better(ready.length > 0 ? ready : candidates, byWarmthAndLoad, chance).agent;
}

/** The better of two that are drawn by chance; of equals the one drawn first. @param seats one at least */
function better(seats: readonly Seat[], compare: (one: Seat, other: Seat) => number, chance: () => number): Seat {
  const first = Math.floor(chance() * seats.length);
  const step = seats.length < 2 ? 0 : 1 + Math.floor(chance() * (seats.length - 1));
  const [one, other] = [seats[first], seats[(first + step) % seats.length]];
  if (one === undefined || other === undefined) throw new RangeError('there is no seat to choose from');
  return compare(one, other) <= 0 ? one : other;
}

const byWarmthAndLoad = (one: Seat, other: Seat): number => Number(other.warm > 0) - Number(one.warm > 0) || loadOf(one) - loadOf(other);

const loadOf = ({ places, capacity }: Seat): number => (capacity === 0 ? 1 : 1 - places / capacity);
