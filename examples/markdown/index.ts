import { blocks } from './blocks.ts';
import { page } from './page.ts';

const encoder = new TextEncoder();

/** Takes Markdown as the body of a POST and answers with an HTML page, sent block by block while it is made. */
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== 'POST') {
      return new Response('send Markdown with POST: curl --data-binary @README.md\n', { status: 405, headers: { allow: 'POST' } });
    }
    const markdown = await request.text();
    const title = new URL(request.url).searchParams.get('title') ?? 'Markdown';
    return new Response(ReadableStream.from(html(markdown, title)), { headers: { 'content-type': 'text/html; charset=utf-8' } });
  },
};

async function* html(markdown: string, title: string): AsyncGenerator<Uint8Array> {
  const { head, foot } = page(title);
  yield encoder.encode(head);
  for (const block of blocks(markdown)) yield encoder.encode(block);
  yield encoder.encode(foot);
}
