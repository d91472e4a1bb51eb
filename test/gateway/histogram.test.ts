/** Distributions as Prometheus reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Distribution } from '../../src/gateway/figures/histogram.ts';

test('a value counts in every bucket that it fits, and in the sum', () => {
  const seen = new Distribution([0.1, 0.5]);
  for (const value of [0.05, 0.1, 0.2, 7]) seen.observe(value);
  assert.deepEqual(seen.lines('wait', 'function="f"'), [
    'wait_bucket{le="0.1",function="f"} 2',
    'wait_bucket{le="0.5",function="f"} 3',
    'wait_bucket{le="+Inf",function="f"} 4',
    'wait_sum{function="f"} 7.35',
    'wait_count{function="f"} 4',
  ]);
});
