import assert from 'node:assert/strict';

/** @param gatewayUrl where `examples/hello` is served as `hello` */
export async function checkHello(gatewayUrl: string): Promise<void> {
  const url = `${gatewayUrl}/hello`;
  assert.equal(await messageOf(fetch(url)), 'Hello, world!');
  assert.equal(await messageOf(fetch(`${url}?name=Ada%20L.`)), 'Hello, Ada L.!');
  const headers = { 'content-type': 'application/json' };
  assert.equal(await messageOf(fetch(url, { method: 'POST', headers, body: '{"name": "Grace"}' })), 'Hello, Grace!');
  assert.equal(await messageOf(fetch(url, { method: 'POST', headers, body: 'no JSON' })), 'Hello, world!');
}

async function messageOf(answer: Promise<Response>): Promise<unknown> {
  const response = await answer;
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  const { message, version } = (await response.json()) as { message: unknown; version: unknown };
  assert.match(String(version), /^\d+$/);
  return message;
}
