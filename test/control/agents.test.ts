/** Several agents as control sees them: what they have is added up, and what they are told is divided. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agents } from '../../src/control/agents.ts';
import { functionConfigSchema } from '../../src/model/function.ts';
import { groupsSchema } from '../../src/model/groups.ts';
import type { CallClient } from '../../src/wire/calls.ts';
import type { VersionCapacity, VersionTarget } from '../../src/wire/scale-calls.ts';
import { version as plain } from '../gateway/starting-instance.ts';

const named = { tenant: plain.tenant, function: plain.function, number: plain.number };
const running = (count: number): VersionCapacity => ({ ...named, running: count, cpuMs: 100 * count, memory: 0.5 });

/** An agent that answers from a table, and keeps what it is told. */
class FakeAgent {
  connected = true;
  told: VersionTarget[] = [];
  readonly answers: Record<string, unknown> = { health: { ready: true, detail: 'takes starts' } };
  readonly client = {
    ask: (method: string) => Promise.resolve(this.answers[method]),
    notify: (_: string, { targets }: { targets: VersionTarget[] }) => (this.told = targets),
  };
}

function three(labels = [{ cell: 'a' }, { cell: 'b' }, {}]) {
  const fakes = labels.map(() => new FakeAgent());
  const clients = fakes.map(
    (fake) => Object.defineProperty(fake.client, 'connected', { get: () => fake.connected }) as unknown as CallClient,
  );
  return { fakes, agents: new Agents(clients, labels) };
}

test('all have to serve; the one that does not is named', async () => {
  const { fakes, agents } = three();
  assert.deepEqual(await agents.health(100), { ready: true, detail: '3 agents take starts' });
  for (const fake of fakes.slice(1, 2)) fake.connected = false;
  assert.deepEqual(await agents.health(100), { ready: false, detail: '2 of 3 agents take starts: agent 2: the agent is away' });
});

test('instances of all are listed with their agents, and added up; those of one that is away are remembered', async () => {
  const { fakes, agents } = three();
  for (const [at, fake] of fakes.entries()) {
    fake.answers['capacity'] = [running(at + 1)];
    fake.answers['warmth'] = { ready: at };
    fake.answers['provisioned'] = [{ ...named, version: 1, requested: 1, ready: at === 2 ? 0 : 1 }];
  }
  assert.deepEqual(await agents.capacity(), [{ ...named, running: 6, cpuMs: 600, memory: 1.5 }]);
  assert.deepEqual(await agents.warmth('t', 'f', 1), { ready: 3 });
  assert.deepEqual(
    (await agents.provisioned()).map(({ requested, ready }) => [requested, ready]),
    [[3, 2]],
  );
  for (const fake of fakes.slice(2)) fake.connected = false;
  assert.deepEqual(
    (await agents.capacity())?.map((one) => one.running),
    [6],
  );
  for (const fake of fakes) fake.connected = false;
  assert.deepEqual([await agents.capacity(), await agents.warmth('t', 'f', 1)], [undefined, undefined]);
});

for (const [what, config, there, whole, expected] of [
  ['instances stay where they are', {}, [4, 0, 0], { target: 4, minimum: 0, maximum: 12 }, [4, 0, 0]],
  ['what lacks goes where fewest are', {}, [4, 0, 0], { target: 7, minimum: 0, maximum: 12 }, [4, 2, 1]],
  [
    'agents that do not run the function have no part',
    { groups: groupsSchema.parse({ only: { cell: ['b'] } }) },
    [0, 1, 0],
    { target: 3, minimum: 2, maximum: 5 },
    [0, 3, 0],
  ],
] as const)
  test(`a target is divided: ${what}`, async () => {
    const { fakes, agents } = three();
    for (const [at, fake] of fakes.entries()) fake.answers['capacity'] = [running(there[at] ?? 0)];
    await agents.capacity();
    const version = { ...plain, config: { ...functionConfigSchema.parse({}), ...config } };
    agents.tellTargets({ validMs: 1, targets: [{ ...named, ...whole }] }, () => version);
    const sum = (read: (target: VersionTarget) => number) => fakes.flatMap(({ told }) => told).reduce((total, one) => total + read(one), 0);
    assert.deepEqual(
      fakes.map(({ told }) => told[0]?.target),
      expected,
    );
    assert.deepEqual([sum((one) => one.minimum), sum((one) => one.maximum)], [whole.minimum, whole.maximum]);
  });
