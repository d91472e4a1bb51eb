import assert from 'node:assert/strict';
import { bitmap } from './bitmap.ts';

const signatures = {
  webp: (bytes: Buffer) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
  jpeg: (bytes: Buffer) => bytes.readUInt16BE(0) === 0xffd8,
  png: (bytes: Buffer) => bytes.toString('latin1', 1, 4) === 'PNG',
} as const;

/** @param gatewayUrl where `examples/thumbnail` is served as `thumbnail` */
export async function checkThumbnail(gatewayUrl: string): Promise<void> {
  const url = `${gatewayUrl}/thumbnail`;
  const image = bitmap(600, 400);
  for (const [format, isOf] of Object.entries(signatures)) {
    const response = await fetch(`${url}?width=150&format=${format}`, { method: 'POST', body: image });
    assert.equal(response.status, 200, format);
    assert.equal(response.headers.get('content-type'), `image/${format}`);
    assert.equal(response.headers.get('x-image-size'), '150x100');
    assert.ok(isOf(Buffer.from(await response.arrayBuffer())), `the answer is no ${format}`);
  }
  assert.equal((await fetch(url)).status, 405);
  assert.equal((await fetch(url, { method: 'POST', body: 'not an image' })).status, 422);
  assert.equal((await fetch(`${url}?width=0`, { method: 'POST', body: image })).status, 400);
}
