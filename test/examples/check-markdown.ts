import assert from 'node:assert/strict';

/** @param gatewayUrl where `examples/markdown` is served as `markdown` */
export async function checkMarkdown(gatewayUrl: string): Promise<void> {
  const url = `${gatewayUrl}/markdown`;
  const text = '# Notes\n\nSome *text* with <script>alert(1)</script> and [a link](javascript:alert(1)).\n\n- one\n- two\n';
  const response = await fetch(`${url}?title=A%20%26%20B`, { method: 'POST', body: text });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(response.headers.get('content-length'), null, 'a streamed answer has no length');
  const html = await response.text();
  for (const part of ['<title>A &amp; B</title>', '<h1>Notes</h1>', '<em>text</em>', '&lt;script&gt;', '<li>two</li>', '</html>']) {
    assert.ok(html.includes(part), `${part} is missing in ${html}`);
  }
  assert.ok(!html.includes('<script>') && !html.includes('javascript:'), html);
  await checkLong(url);
  assert.equal((await fetch(url)).status, 405);
}

/** A text of a megabyte comes back whole and in order. */
async function checkLong(url: string): Promise<void> {
  const paragraphs = 10_000;
  const text = Array.from({ length: paragraphs }, (_, n) => `paragraph ${n} ${'x'.repeat(80)}`).join('\n\n');
  const html = await (await fetch(url, { method: 'POST', body: text })).text();
  const numbers = [...html.matchAll(/<p>paragraph (\d+) x{80}<\/p>/g)].map(([, n]) => Number(n));
  assert.equal(numbers.length, paragraphs);
  assert.ok(numbers.every((n, i) => n === i));
}
