import { readOptions, type ThumbnailOptions } from './options.ts';
import { thumbnail } from './thumbnail.ts';

/** Takes an image as the body of a POST and answers with its thumbnail. */
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== 'POST') return problem(405, 'send an image with POST', { allow: 'POST' });
    let options: ThumbnailOptions;
    try {
      options = readOptions(new URL(request.url).searchParams);
    } catch (error) {
      return problem(400, messageOf(error));
    }
    const image = await request.arrayBuffer();
    if (image.byteLength === 0) return problem(400, 'the body is empty; send an image: curl --data-binary @photo.jpg');
    try {
      const { bytes, width, height } = await thumbnail(image, options);
      return new Response(bytes, {
        headers: { 'content-type': `image/${options.format}`, 'x-image-size': `${width}x${height}` },
      });
    } catch (error) {
      return problem(422, `the body is no image that can be read: ${messageOf(error)}`);
    }
  },
};

const problem = (status: number, detail: string, headers: Record<string, string> = {}): Response =>
  Response.json({ status, detail }, { status, headers: { ...headers, 'content-type': 'application/problem+json' } });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
