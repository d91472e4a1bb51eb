/** Kills of each role of a platform under load: nothing that was accepted is lost. `npm run torture -- ledger` has two hundred. */
import { test } from 'node:test';
import { platformLedger } from './platform-ledger.ts';

test('kill -9 of each role under load loses nothing that was accepted', { timeout: 60_000 }, async (t) => {
  const kills = ['events', 'gateway', 'agent', 'events', 'control', 'gateway', 'relay', 'events'] as const;
  await platformLedger(t, { kills, betweenKillsMs: 250, drainLimitMs: 15_000 });
});
