/** What becomes of an instance that nobody uses, by cases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instance, bestResting, type InstanceState, type RestingState } from '../../src/agent/instance.ts';
import { type Fate, fateOf, idleLimitMs, type RestFacts } from '../../src/agent/rest.ts';
import { version } from '../gateway/starting-instance.ts';

const now = 100_000;
const idle = (restedMs: number, isQuiet = true): RestingState => ({ kind: 'idle', since: now - restedMs, isQuiet });
const frozen = (restedMs: number): RestingState => ({ kind: 'frozen', since: now - restedMs });
const hibernated = (restedMs: number): RestingState => ({ kind: 'hibernated', since: now - restedMs });
const spent = (restedMs: number, isQuiet = true): RestingState => ({ kind: 'spent', since: now - restedMs, isQuiet });
const facts = {
  serving: true,
  isProvisioned: false,
  isWanted: false,
  isTooMany: false,
  canFreeze: true,
  freezeMs: 10_000,
  hibernateMs: Infinity,
  idleMs: 60_000,
  surplusMs: 15_000,
  timeoutMs: 30_000,
};

const fates: [what: string, facts: Partial<RestFacts> & { readonly state: RestingState }, fate: Fate][] = [
  ['just used', { state: idle(0) }, 'stay'],
  ['idle for less than the time to freeze', { state: idle(9_999) }, 'stay'],
  ['idle for the time to freeze', { state: idle(10_000) }, 'freeze'],
  ['idle, but something of a request goes on in it', { state: idle(59_999, false) }, 'stay'],
  ['idle on a host that cannot freeze', { state: idle(59_999), canFreeze: false }, 'stay'],
  ['idle for the whole idle time', { state: idle(60_000) }, 'end'],
  ['idle for the whole idle time, which comes before the time to freeze', { state: idle(5_000), idleMs: 5_000 }, 'end'],
  ['idle for the whole idle time with work in the background', { state: idle(5_000, false), idleMs: 5_000 }, 'stay'],
  ['the same, for longer than a request may take', { state: idle(30_000, false), idleMs: 5_000 }, 'end'],
  ['frozen for a while', { state: frozen(59_999) }, 'stay'],
  ['frozen until the end of its idle time', { state: frozen(60_000) }, 'end'],
  ['frozen for less than the time to hibernate', { state: frozen(19_999), hibernateMs: 20_000 }, 'stay'],
  ['frozen for the time to hibernate', { state: frozen(20_000), hibernateMs: 20_000 }, 'hibernate'],
  ['idle for the time to hibernate: one thing after the other', { state: idle(20_000), hibernateMs: 20_000 }, 'freeze'],
  [
    'frozen until the end of its idle time, which comes before the time to hibernate',
    { state: frozen(60_000), hibernateMs: 60_000 },
    'end',
  ],
  ['hibernated for a while', { state: hibernated(59_999), hibernateMs: 20_000 }, 'stay'],
  ['hibernated until the end of its idle time', { state: hibernated(60_000), hibernateMs: 20_000 }, 'end'],
  ['hibernated, and provisioned since another one is gone', { state: hibernated(20_000), isProvisioned: true }, 'thaw'],
  ['provisioned, and there would be swap', { state: idle(99_999), isProvisioned: true, hibernateMs: 20_000 }, 'stay'],
  ['provisioned, idle for ever', { state: idle(99_999), isProvisioned: true }, 'stay'],
  ['frozen, and provisioned since another one is gone', { state: frozen(20_000), isProvisioned: true }, 'thaw'],
  ['idle for longer than its time, but wanted for the load', { state: frozen(99_999), isWanted: true }, 'stay'],
  ['one too many, for less than the delay', { state: frozen(14_999), isTooMany: true }, 'stay'],
  ['one too many, for the delay', { state: frozen(15_000), isTooMany: true }, 'end'],
  ['one too many, with work in the background', { state: idle(15_000, false), isTooMany: true }, 'stay'],
  ['one too many, whose idle time is shorter', { state: idle(5_000), isTooMany: true, idleMs: 5_000 }, 'end'],
  ['one too many, and provisioned', { state: idle(99_999), isTooMany: true, isProvisioned: true }, 'stay'],
  ['of a version that serves no more', { state: idle(0), serving: false }, 'end'],
  ['the same, provisioned', { state: idle(0), serving: false, isProvisioned: true }, 'end'],
  ['the same, frozen', { state: frozen(11_000), serving: false }, 'end'],
  ['the same, with work in the background', { state: idle(20_000, false), serving: false }, 'stay'],
  ['one-shot, after its request', { state: spent(0) }, 'end'],
  ['one-shot, with work in the background', { state: spent(20_000, false) }, 'stay'],
  ['one-shot, with work that never ends', { state: spent(30_000, false) }, 'end'],
];
for (const [what, some, fate] of fates) test(`${what}: ${fate}`, () => assert.equal(fateOf({ ...facts, ...some }, now), fate));

test('a gateway gives an instance back for the first thing that the agent would do with it', () => {
  const times = { freezeMs: 10, idleMs: 20 };
  assert.equal(idleLimitMs({ ...times, canFreeze: true }), 10);
  assert.equal(idleLimitMs({ ...times, canFreeze: false }), 20);
  assert.equal(idleLimitMs({ freezeMs: 30, idleMs: 20, canFreeze: true }), 20);
});

test('the best one is ready, else the one that was frozen last, else the one that was hibernated last; none that is spent', () => {
  const instance = (id: string, state: InstanceState, number = 1) => ({ id, state, version: { ...version, number } }) as Instance;
  const [old, young] = [instance('old', frozen(20_000)), instance('young', frozen(11_000))];
  const others = [instance('spent', spent(0)), instance('starting', { kind: 'starting' }), instance('of another version', idle(0), 2)];
  const none = () => false;
  assert.equal(bestResting([...others, old, young, instance('ready', idle(9_000))], version, none)?.id, 'ready');
  assert.equal(bestResting([...others, old, young], version, none)?.id, 'young');
  const [asleep, longAsleep] = [instance('asleep', hibernated(11_000)), instance('long asleep', hibernated(12_000))];
  assert.equal(bestResting([...others, asleep, old, longAsleep], version, none)?.id, 'old');
  assert.equal(bestResting([...others, longAsleep, asleep], version, none)?.id, 'asleep');
  assert.equal(bestResting(others, version, none), undefined);
  const isStale = ({ id }: Instance) => id === 'young';
  assert.equal(bestResting([...others, old, young], version, isStale)?.id, 'old', 'one with an old secret is given to nobody');
});
