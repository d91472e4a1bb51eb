/** Which of two proxies new connections go through, by the answers to probes. Pure. */

/** A proxy’s place among the two of its network. */
export type Place = 0 | 1;
export const places: readonly Place[] = [0, 1];

export type ProxyHealth =
  /** Since this process began nothing was heard of it. */
  | { readonly kind: 'unknown'; readonly missed: number }
  /** It answers; so many of the last probes it did not. */
  | { readonly kind: 'up'; readonly missed: number }
  | { readonly kind: 'down' }
  /** It was down, and has answered so many probes since. */
  | { readonly kind: 'returning'; readonly answered: number };

export type Healths = readonly [ProxyHealth, ProxyHealth];

/** Where new connections go. */
export type Way = { readonly kind: 'through'; readonly place: Place } | { readonly kind: 'cut' };

export const probeEveryMs = 200;
/** So many probes without an answer, one after the other: a proxy that dies is down within 0.8 s. */
export const missesUntilDown = 3;
/** So many answers, one after the other: one that comes and goes is not trusted. */
export const answersUntilUp = 5;

export const unknown: ProxyHealth = { kind: 'unknown', missed: 0 };

export function afterProbe(health: ProxyHealth, isAnswered: boolean): ProxyHealth {
  switch (health.kind) {
    case 'unknown':
    case 'up': {
      if (isAnswered) return { kind: 'up', missed: 0 };
      const missed = health.missed + 1;
      return missed >= missesUntilDown ? { kind: 'down' } : { kind: health.kind, missed };
    }
    case 'down':
      return isAnswered ? { kind: 'returning', answered: 1 } : health;
    case 'returning': {
      if (!isAnswered) return { kind: 'down' };
      const answered = health.answered + 1;
      return answered >= answersUntilUp ? { kind: 'up', missed: 0 } : { kind: 'returning', answered };
    }
  }
}

/** The better, the further in front. */
const preference: readonly ProxyHealth['kind'][] = ['up', 'returning', 'unknown'];

/** Stays where it is for as long as that is not down, so that one that returns changes nothing; else the best there is. */
export function chooseWay(before: Way, healths: Healths): Way {
  if (before.kind === 'through' && healths[before.place].kind !== 'down') return before;
  for (const kind of preference) {
    const place = places.find((candidate) => healths[candidate].kind === kind);
    if (place !== undefined) return { kind: 'through', place };
  }
  return { kind: 'cut' };
}

/** Those that have just gone down: whatever goes through them is to be cut. */
export const goneDown = (before: Healths, after: Healths): Place[] =>
  places.filter((place) => before[place].kind !== 'down' && after[place].kind === 'down');
