import type { Message, Wanted } from './source.ts';

/** Takes from the front of a buffer what is wanted of it, in messages and in bytes; one, even when it alone is larger. */
export function cut<Buffered extends Pick<Message, 'body'>>(
  buffer: Buffered[],
  { messages, bytes }: Pick<Wanted, 'messages' | 'bytes'>,
): Buffered[] {
  let left = bytes;
  const tooMany = buffer.findIndex(({ body }, at) => {
    left -= body.length;
    return at === messages || (at > 0 && left < 0);
  });
  return buffer.splice(0, tooMany === -1 ? buffer.length : tooMany);
}
