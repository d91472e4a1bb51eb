/** What tests say of tools that a machine has not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingTools } from '../programs/missing-tools.ts';

test('what is missing is named with its package; in CI nothing is skipped', () => {
  const { PATH = '' } = process.env;
  assert.equal(missingTools(['sh', '/bin/sh'], { PATH }), false);
  assert.equal(
    missingTools(['cargo', '/bin/sh', 'mvn'], { PATH: '/nowhere' }),
    'cargo, mvn missing; run "apt-get install cargo-web maven"',
  );
  assert.equal(missingTools(['cargo'], { PATH: '/nowhere', CI: 'true' }), false);
});
