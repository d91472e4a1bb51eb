import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventMetrics } from '../../src/events/metrics.ts';

const hello = { tenant: 'default', function: 'hello' };
const gone = { tenant: 'default', function: 'gone' };

test('a function that is removed takes its figures along; what the log has of it is told on', async () => {
  const metrics = new EventMetrics(() => Promise.resolve([{ ...gone, state: 'dead-lettered', count: 2 }]));
  for (const ref of [hello, gone]) {
    metrics.accepted(ref);
    metrics.tried(ref, 'answered');
    metrics.tried(ref, 'failed');
    metrics.settled(ref, 'waiting');
    metrics.settled(ref, 'succeeded');
  }
  const figuresOf = async (name: string) => (await metrics.text()).split('\n').filter((line) => line.includes(`function="${name}"`));
  assert.equal((await figuresOf('gone')).length, 5);
  metrics.forgetAllBut(new Map([['default/hello', 1]]));
  assert.deepEqual(await figuresOf('gone'), ['swiftlet_events{tenant="default",function="gone",state="dead-lettered"} 2']);
  assert.equal((await figuresOf('hello')).length, 4);
});
