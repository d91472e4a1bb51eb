import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepWarmText } from '../../src/cli/keep-warm-text.ts';

test('a schedule of keeping warm is told in words', () => {
  assert.equal(keepWarmText({ kind: 'rate', everyMs: 90_000, callsHandler: false }), 'every 90 s');
  const cron = { kind: 'cron', expression: '*/5 8-18 * * *', timeZone: 'Europe/Berlin', callsHandler: true } as const;
  assert.equal(keepWarmText(cron), '*/5 8-18 * * * (Europe/Berlin), by its handler');
});
