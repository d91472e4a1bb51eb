import { setTimeout as pause } from 'node:timers/promises';
import { type Attacker, openAttacker } from '../attacker.ts';
import { type Attack, attacks } from '../attacks.ts';
import { packModule } from '../bench-functions.ts';
import { type Bystander, type BystanderAnswers, openBystander } from '../bystander.ts';
import type { Figure } from '../figure.ts';
import type { BenchPlatform } from '../platform.ts';
import type { Scenario } from '../scenario.ts';
import { summarise } from '../statistics.ts';

const poolSize = 8;
/** An attack is made again so long after it was over. */
const againAfterMs = 1_000;
/** An attack is over so soon after it was made for the last time: what it started is gone by then. */
const settlesWithinMs = 1_000;
/** What a function may wait for its neighbours in any case: docs/decisions/0027. */
const floorMs = 10;

/** What another function's callers notice of attacks, while they are made and once they are over. */
export const neighbour: Scenario = {
  name: 'neighbour',
  title: 'another function, while each attack is made again and again, and after it',
  byDefault: true,
  async run({ quick, startPlatform, signal, progress }) {
    const forMs = quick ? 2_000 : 10_000;
    await using platform = await startPlatform({ poolSize });
    using bystander = await openBystander(platform);
    using attacker = openAttacker();
    progress('no attack');
    const calm = await calmAnswers(bystander, 2 * forMs, signal);
    const usual = summarise(calm.tookMs);
    const during: Figure[] = [];
    const afterwards: Figure[] = [];
    const wrong = [...calm.wrong];
    for (const attack of attacks) {
      progress(attack.what);
      const attackedAnswers = await attacked(platform, { bystander, attacker }, attack, forMs, signal);
      const later = await calmAnswers(bystander, forMs, signal);
      during.push(besideAttack(attack, attackedAnswers, usual.p99));
      afterwards.push(afterAttack(attack, later, usual.p99));
      wrong.push(...attackedAnswers.wrong, ...later.wrong);
    }
    const samples = [...during, ...afterwards].reduce((sum, figure) => sum + figure.samples, usual.count);
    return {
      figures: [...during, ...afterwards, { what: 'wrong answers', value: wrong.length, unit: 'count', samples, target: { atMost: 0 } }],
      isolation: platform.isolation,
      poolSize,
      notes: [
        `figures are p99; before any attack: p50 ${usual.p50.toFixed(2)} ms, p99 ${usual.p99.toFixed(2)} ms over ${usual.count} answers`,
        `allowed beside an attack: the larger of twice that and ${floorMs} ms more; after it: twice that`,
        ...wrong.slice(0, 3),
      ],
    };
  },
};

function besideAttack({ what }: Attack, { tookMs }: BystanderAnswers, usualMs: number): Figure {
  const allowed = { name: 'allowed', value: Math.max(2 * usualMs, usualMs + floorMs) };
  const { p99, count } = summarise(tookMs);
  return { what: `beside ${what}`, value: p99, unit: 'ms', samples: count, baseline: allowed, target: { atMost: 1 } };
}

function afterAttack({ what }: Attack, { tookMs }: BystanderAnswers, usualMs: number): Figure {
  const before = { name: 'before any attack', value: usualMs };
  const { p99, count } = summarise(tookMs);
  return { what: `after ${what}`, value: p99, unit: 'ms', samples: count, baseline: before, target: { atMost: 2 } };
}

/** What is asked while nothing is done to it, from a second after now. */
async function calmAnswers(bystander: Bystander, forMs: number, signal: AbortSignal): Promise<BystanderAnswers> {
  await pause(settlesWithinMs, undefined, { signal });
  await bystander.take();
  await pause(forMs, undefined, { signal });
  return bystander.take();
}

async function attacked(
  { api, gatewayUrl }: BenchPlatform,
  { bystander, attacker }: { readonly bystander: Bystander; readonly attacker: Attacker },
  { source, config, calls }: Attack,
  forMs: number,
  signal: AbortSignal,
): Promise<BystanderAnswers> {
  await api.deploy('attacks', await packModule(source), config);
  await bystander.take();
  for (const until = performance.now() + forMs; performance.now() < until; ) {
    await attacker.call(`${gatewayUrl}/attacks/`, calls, signal);
    await pause(againAfterMs, undefined, { signal });
  }
  const answers = await bystander.take();
  await api.remove('attacks');
  return answers;
}
