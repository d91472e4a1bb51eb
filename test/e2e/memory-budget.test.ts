/** More functions than fit into the budget of memory: each is answered, and the sandboxes together keep below it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, openE2e } from './functions.ts';
import { needsMemoryLimit } from './needs.ts';

const mebibyte = 1024 * 1024;
const budgetMiB = 128;
const each = 40;
const names = ['one', 'two', 'three', 'four', 'five', 'six'];
/** None would go by itself while this runs; with fewer, the budget would not be needed. */
const rests = { freezeMs: 50, hibernateMs: 3_600_000, idleMs: 3_600_000, maximum: 1 };
const holds = `const kept = Buffer.alloc(${each * mebibyte}, 1);
  export const handler = () => kept.length;`;

test('idle instances give memory up before their time when memory is short, one that is provisioned does not, and all requests are answered', {
  skip: needsMemoryLimit,
}, async () => {
  await using e2e = await openE2e({ poolSize: 1, environment: { SWIFTLET_MEMORY_BUDGET: `${budgetMiB}MiB` } });
  const bytes = async () =>
    Number(/^swiftlet_sandboxes_private_bytes (\S+)$/m.exec(await e2e.platform.api.metrics('agent'))?.[1] ?? Number.NaN);
  await e2e.publish('kept', holds, { ...rests, minimum: 1 });
  for (const name of names) {
    await e2e.publish(name, holds, rests);
    const { status, text } = await e2e.call(`/${name}/`);
    assert.deepEqual([status, text], [200, String(each * mebibyte)]);
    await eventually(bytes, (held) => held <= budgetMiB * mebibyte);
  }
  // A host that has swap of its own has hibernated them instead.
  const isLeft = async (name: string) => (await e2e.platform.api.instances(name)).some(({ state }) => state !== 'hibernated');
  const left = await Promise.all(names.map(isLeft));
  const gone = names.filter((_, at) => left[at] === false);
  assert.ok(
    gone.length >= names.length - budgetMiB / each,
    `only ${gone.join(', ')} of ${names.length} gave up ${each} MiB for ${budgetMiB} MiB`,
  );
  assert.equal((await e2e.platform.api.instances('kept')).length, 1);
  const again = await e2e.call(`/${gone[0] ?? ''}/`);
  assert.equal(again.status, 200);
  assert.match(again.headers.get('x-swiftlet-start') ?? '', /^(?:cold|awakened)$/);
});
