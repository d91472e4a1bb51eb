import assert from 'node:assert/strict';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** @param gatewayUrl where `examples/api` is served as `api`, with no notes in it yet */
export async function checkApi(gatewayUrl: string): Promise<void> {
  const call = caller(`${gatewayUrl}/api`);
  const first = await call('POST', '/notes', { text: 'buy milk', tags: ['home'] });
  assert.equal(first.status, 201);
  const { id } = first.body as { id: string };
  await call('POST', '/notes', { text: 'write tests' });
  assert.deepEqual(await call('GET', `/notes/${id}`), { ...first, status: 200 });
  assert.deepEqual(await call('GET', '/notes?tag=home'), { status: 200, body: { notes: [first.body] } });
  assert.equal((await call('PUT', `/notes/${id}`, { text: 'buy oat milk' })).status, 200);
  assert.deepEqual(await call('DELETE', `/notes/${id}`), { status: 204, body: undefined });
  assert.deepEqual(await call('GET', `/notes/${id}`), { status: 404, body: { status: 404, detail: `there is no note "${id}"` } });
  await checkErrors(call);
}

async function checkErrors(call: ReturnType<typeof caller>): Promise<void> {
  assert.equal((await call('POST', '/notes', { text: 3 })).status, 422);
  assert.deepEqual(await call('GET', '/nowhere'), { status: 404, body: { status: 404, detail: 'there is no GET /nowhere' } });
}

const caller =
  (url: string) =>
  async (method: string, path: string, json?: unknown): Promise<Answer> => {
    const body = json === undefined ? {} : { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
    const response = await fetch(url + path, { method, ...body });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
