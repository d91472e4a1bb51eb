import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upOptions } from '../../src/cli/up/options.ts';

for (const [value, port] of [
  [undefined, 8082],
  ['9000', 9000],
  ['off', undefined],
] as const)
  test(`SWIFTLET_LAMBDA_PORT=${value ?? ''}: ${port ?? 'none'}`, () => {
    assert.equal(upOptions(value === undefined ? {} : { SWIFTLET_LAMBDA_PORT: value }).lambdaPort, port);
  });

test('what is no port is refused', () => {
  assert.throws(() => upOptions({ SWIFTLET_LAMBDA_PORT: 'none' }), /SWIFTLET_LAMBDA_PORT.*it is a port, or off/);
});
