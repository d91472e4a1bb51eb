import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordOf } from '../../scripts/torture-record.ts';

const date = new Date('2026-01-02T03:04:05Z');

test('a record tells the command, the day, the machine, and what each test showed', () => {
  const page = recordOf('ledger', date, '2 cores', [
    { name: 'a thousand kills', seconds: 401.6, failure: undefined, said: ['1000 kills', '9 | twice'] },
    { name: 'quiet', seconds: 1, failure: undefined, said: [] },
  ]);
  assert.match(page, /^# Torture: ledger\n\n`npm run torture -- ledger`, 2 January 2026; 2 cores: all held\./);
  assert.match(page, /^\| a thousand kills \| 402 \| 1000 kills; 9 \\\| twice \|$/m);
  assert.match(page, /^\| quiet \| 1 \| held \|$/m);
});

test('what failed is told first, on one line', () => {
  const page = recordOf('ledger', date, '2 cores', [{ name: 'kills', seconds: 3, failure: 'Error: lost\n  [1]', said: ['10 kills'] }]);
  assert.match(page, /1 of 1 did not hold/);
  assert.match(page, /^\| kills \| 3 \| \*\*failed\*\*: Error: lost \[1\]; 10 kills \|$/m);
});
