/**
 * A thousand kills of the events role and the gateway, at every named point of an event's way and at any moment; and two hundred of the roles
 * of a whole platform, at any moment: under load none is lost.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KilledRole, platformLedger } from '../test/e2e/platform-ledger.ts';
import { clean } from '../test/events/ledger/judge.ts';
import { faultsOf } from '../test/events/ledger/kills.ts';
import { openLedgerPlatform } from '../test/events/ledger/ledger-platform.ts';

const kills = 1_000;
const platformKills = 200;
const roles: readonly KilledRole[] = ['events', 'gateway', 'agent', 'control', 'relay'];

test(`${kills} kills: every accepted event ends`, async (t) => {
  await using platform = await openLedgerPlatform(t);
  let died = 0;
  await platform.suffer(faultsOf(kills, Math.random), () => {
    died += 1;
    if (died % 100 === 0) t.diagnostic(`${died} kills, ${platform.acceptedCount()} accepted`);
  });
  assert.deepEqual(await platform.judge(), clean);
  t.diagnostic(`${platform.acceptedCount()} accepted over ${kills} kills`);
});

test(`${platformKills} kills of the roles of a platform: every accepted event ends`, async (t) => {
  const chosen = Array.from({ length: platformKills }, () => roles[Math.floor(Math.random() * roles.length)] ?? 'events');
  await platformLedger(t, { kills: chosen, betweenKillsMs: 1_000, drainLimitMs: 120_000 });
});
