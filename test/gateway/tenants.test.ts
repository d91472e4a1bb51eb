import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acquired, GatewayUnderTest } from './starting-instance.ts';

const limit = 10;

test('a tenant at its limit gets 429, another one is answered, and what is over frees its place', async () => {
  await using tested = new GatewayUnderTest({ tenantInFlight: limit });
  const greedy = Array.from({ length: 3 * limit }, () => tested.call());
  const refused: Response[] = [];
  for (const call of greedy) void call.then((response) => response.status === 429 && refused.push(response));
  const other = tested.call({}, 'other');
  const instances = { default: tested.instance(), other: tested.instance() };
  for (let tenant = ''; tenant !== 'other'; ) {
    const asked = await tested.asked.take();
    tenant = asked.order.tenant;
    if (tenant === 'other') asked.resolve(acquired(asked, instances.other));
    else if (tested.gateway.holds.length === 0) asked.resolve({ ...acquired(asked, instances.default), slots: limit });
  }
  const { stream } = await instances.other.frames.take();
  instances.other.answer(stream, 'undisturbed');
  assert.equal(await (await other).text(), 'undisturbed');
  for (let answered = 0; answered < limit; answered++) instances.default.answer((await instances.default.frames.take()).stream, 'fine');
  const statuses = (await Promise.all(greedy)).map(({ status }) => status);
  assert.deepEqual([statuses.filter((status) => status === 200).length, refused.length], [limit, 2 * limit]);
  for (const { headers } of refused) assert.equal(headers.get('retry-after'), '1');
  const again = tested.call();
  instances.default.answer((await instances.default.frames.take()).stream, 'again');
  assert.equal(await (await again).text(), 'again');
});
