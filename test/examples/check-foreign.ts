/** Examples of code that was written for other platforms, as their READMEs call them. */
import assert from 'node:assert/strict';

/** @returns what the function returned for an event, as `swiftlet invoke` shows it */
export type Invoke = (name: string, event: unknown) => Promise<unknown>;

export async function checkAlibaba(gatewayUrl: string, invoke: Invoke): Promise<void> {
  const greeted = (await invoke('fc-event', { name: 'Ada' })) as { message: unknown; requestId: unknown };
  assert.equal(greeted.message, 'Hello, Ada!');
  assert.match(String(greeted.requestId), /\w/);
  const response = await fetch(`${gatewayUrl}/fc-http/path?a=1`, { method: 'POST', body: 'sent' });
  assert.deepEqual([response.status, response.headers.get('x-function')], [200, 'fc-http']);
  assert.deepEqual(await response.json(), { path: '/path', queries: { a: '1' }, method: 'POST', clientIP: '127.0.0.1', body: 'sent' });
}

export async function checkGoogle(gatewayUrl: string, invoke: Invoke): Promise<void> {
  assert.equal(await textOf(fetch(`${gatewayUrl}/hello-http?name=Ada`)), 'Hello Ada!');
  const headers = { 'content-type': 'application/json' };
  assert.equal(await textOf(fetch(`${gatewayUrl}/hello-http`, { method: 'POST', headers, body: '{"name":"Grace"}' })), 'Hello Grace!');
  const ce = { 'ce-specversion': '1.0', 'ce-id': '7', 'ce-source': '/shop', 'ce-type': 'order.made' };
  const took = await textOf(fetch(`${gatewayUrl}/hello-event`, { method: 'POST', headers: { ...headers, ...ce }, body: '{"n":1}' }));
  assert.deepEqual(JSON.parse(took), { took: '7', data: { n: 1 } });
  assert.deepEqual(((await invoke('hello-event', { n: 2 })) as { data: unknown }).data, { n: 2 });
}

export async function checkTencent(gatewayUrl: string, invoke: Invoke): Promise<void> {
  const answer = await textOf(fetch(`${gatewayUrl}/tencent-scf/path?name=Ada`));
  assert.deepEqual(JSON.parse(answer), { message: 'Hello, Ada!', function: 'tencent-scf', path: '/path', method: 'GET' });
  assert.deepEqual(await invoke('tencent-scf', { name: 'Grace' }), { message: 'Hello, Grace!', function: 'tencent-scf' });
}

async function textOf(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  assert.equal(response.status, 200);
  return response.text();
}
