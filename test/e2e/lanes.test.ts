/** Lanes and groups on the real platform: which version and host a request gets, and that what it causes is in its lane, too. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type E2e, eventually, openE2e } from './functions.ts';

type Config = NonNullable<Parameters<E2e['publish']>[2]>;

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ environment: { SWIFTLET_LABELS: 'cell=a,region=eu' } });
});
after(() => e2e[Symbol.asyncDispose]());

const trusted = () => ({ authorization: `Bearer ${e2e.platform.token}`, 'content-type': 'application/json' });
const said = (what: string) => `export const handler = () => ({ statusCode: 200, body: '${what}' });`;
const byHeader = (missing: 'main' | 'refuse') => ({ by: { header: 'x-lane' }, missing });

/** A function with a version for the lane `blue`, and another one for all others. */
async function publishBoth(name: string, codeOf: (lane: string) => string, config: Config): Promise<void> {
  await e2e.publish(name, codeOf('blue'), config);
  await e2e.publish(name, codeOf('main'), config);
  const body = JSON.stringify({ versions: [{ version: 1, weight: 100 }] });
  const put = await fetch(`${e2e.platform.apiUrl}/v1/functions/${name}/aliases/blue`, { method: 'PUT', headers: trusted(), body });
  assert.equal(put.status, 200, await put.text());
}

async function eventOf(id: unknown, state: string): Promise<Record<string, unknown>> {
  return eventually(
    async () => (await e2e.call(`/_/events/${String(id)}`, { headers: trusted() })).json,
    (event) => event['state'] === state,
  );
}

test('a request in a lane goes to the version of this lane, and else to the main one or nowhere, by rule', async () => {
  for (const [name, missing] of [
    ['laned', 'main'],
    ['strict', 'refuse'],
  ] as const)
    await publishBoth(name, said, { lanes: byHeader(missing), routes: [{ path: `/lanes/${name}` }] });
  const answered = async (path: string, lane?: string) => {
    const { status, text, json } = await e2e.call(path, lane === undefined ? {} : { headers: { 'x-lane': lane } });
    return status === 200 ? text : json['code'];
  };
  for (const path of ['/laned/', '/lanes/laned'])
    assert.deepEqual([await answered(path), await answered(path, 'blue'), await answered(path, 'red')], ['main', 'blue', 'main']);
  assert.deepEqual(
    [await answered('/strict/'), await answered('/strict/', 'blue'), await answered('/strict/', 'red'), await answered('/strict/', '../x')],
    ['main', 'blue', 'AliasNotFound', 'AliasNotFound'],
  );
  assert.equal(await answered('/strict:blue/', 'red'), 'blue');
  const invoked = await e2e.call('/_/invoke/laned', { method: 'POST', body: '{}', headers: { ...trusted(), 'x-lane': 'blue' } });
  assert.equal(invoked.json['body'], 'blue', invoked.text);
});

test('what a request in a lane calls, or has delivered, is in this lane, through functions that are not', async () => {
  const calls = (name: string) =>
    `export const handler = async (event, context) => ({ statusCode: 200, body: JSON.stringify(await context.invoke('${name}', {})) });`;
  await publishBoth('back', (lane) => `export const handler = () => ({ lane: '${lane}' });`, { lanes: byHeader('main') });
  await e2e.publish('middle', "export const handler = (event, context) => context.invoke('back', {});", { calls: ['back'] });
  // It has no version in the lane, and passes it on.
  await e2e.publish('front', calls('middle'), { lanes: byHeader('main'), calls: ['middle'] });
  const through = async (lane: string) => (await e2e.call('/front/', { headers: { 'x-lane': lane } })).json;
  assert.deepEqual(
    [await through('blue'), await through('red'), await through('')],
    [{ lane: 'blue' }, { lane: 'main' }, { lane: 'main' }],
  );

  await publishBoth('picky', said, { lanes: byHeader('refuse') });
  const late = "export const handler = async (event, context) => context.invoke('picky', {}, { async: true });";
  await e2e.publish('later', late, { lanes: byHeader('main'), calls: ['picky'] });
  const laterIn = async (lane: string) => (await e2e.call('/later/', { headers: { 'x-lane': lane } })).json['id'];
  assert.deepEqual((await eventOf(await laterIn('blue'), 'succeeded'))['result'], {
    status: 200,
    contentType: 'application/json',
    body: '{"statusCode":200,"body":"blue"}',
    encoding: 'utf8',
    isTruncated: false,
  });
  const refused = await eventOf(await laterIn('red'), 'dead-lettered');
  assert.deepEqual([refused['reason'], (refused['error'] as { code: string }).code], ['refused', 'AliasNotFound']);
});

test('an event keeps its lane through its retries, and hands it on to its destination', async () => {
  const destinations = { failure: { kind: 'function', function: 'told' } } as const;
  const tries = (lane: string) => `export const handler = () => { console.log('tried in ${lane}'); throw new Error('never'); };`;
  await publishBoth('told', (lane) => `export const handler = () => { console.log('told in ${lane}'); };`, { lanes: byHeader('main') });
  const async = { retries: 1, backoffMs: 50, onFailure: 'discard' } as const;
  await publishBoth('tries', tries, { lanes: byHeader('main'), async, destinations });
  const headers = { prefer: 'respond-async', 'x-lane': 'blue' };
  const accepted = await e2e.call('/tries/', { method: 'POST', body: '{}', headers });
  assert.equal(accepted.status, 202, accepted.text);
  await eventOf(accepted.json['id'], 'discarded');
  const logged = async (name: string) => (await e2e.log(name)).map(({ message }) => message);
  const triedIn = await eventually(
    async () => (await logged('tries')).filter((line) => String(line).startsWith('tried')),
    (lines) => lines.length === 2,
  );
  assert.deepEqual(triedIn, ['tried in blue', 'tried in blue']);
  await eventually(
    () => logged('told'),
    (lines) => lines.includes('told in blue'),
  );
  assert.equal((await e2e.call('/picky/', { headers: { prefer: 'respond-async', 'x-lane': 'red' } })).json['code'], 'AliasNotFound');
});

test('a function is where it is published to, and nowhere else', async () => {
  const rollout = { strategy: 'canary' as const, steps: [{ weight: 50, forMs: 1_000 }] };
  const elsewhere = { groups: { only: { cell: ['b', 'c'] } }, minimum: 1, rollout };
  await e2e.publish('here', said('here'), { groups: { only: { cell: ['a', 'b'], region: ['eu'] } } });
  await e2e.publish('there', said('there'), elsewhere);
  assert.equal((await e2e.call('/here/')).text, 'here');
  const refused = await e2e.call('/there/');
  assert.deepEqual([refused.status, refused.json['code']], [421, 'GroupElsewhere']);
  assert.match(String(refused.json['detail']), /published to cell b or c, and this host is of cell a, region eu/);
  assert.equal((await e2e.call('/there/', { headers: { prefer: 'respond-async' } })).json['code'], 'GroupElsewhere');
  const described = async () =>
    (await (await fetch(`${e2e.platform.apiUrl}/v1/functions/there`, { headers: trusted() })).json()) as { instances: object[] };
  assert.deepEqual((await described()).instances, []);
  // There is nothing to be warmed for it here.
  await e2e.publish('there', said('there, too'), elsewhere);
  const state = async () =>
    (await (await fetch(`${e2e.platform.apiUrl}/v1/functions/there/rollout`, { headers: trusted() })).json()) as { state: string };
  await eventually(state, (rolledOut) => rolledOut.state === 'completed');
});

test('a request for another group goes to any host, or is refused, by rule', async () => {
  const by = { cell: { header: 'x-cell' } };
  await e2e.publish('celled', said('any'), { groups: { by } });
  await e2e.publish('kept', said('own'), { groups: { by, missing: 'refuse' } });
  const answered = async (name: string, headers: Record<string, string>) => {
    const { status, text, json } = await e2e.call(`/${name}/`, { headers });
    return status === 200 ? text : json['code'];
  };
  const cells = [{}, { 'x-cell': 'a' }, { 'x-cell': 'b' }];
  const of = (name: string) => Promise.all(cells.map((headers) => answered(name, headers)));
  assert.deepEqual(
    [await of('celled'), await of('kept')],
    [
      ['any', 'any', 'any'],
      ['own', 'own', 'GroupElsewhere'],
    ],
  );
  assert.equal(await answered('kept', { 'x-cell': 'b', prefer: 'respond-async' }), 'GroupElsewhere');
});
