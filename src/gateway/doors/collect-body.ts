import type { IncomingMessage } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { clientIdleMs } from '../../model/limits.ts';

/**
 * Reads a request's body as a whole.
 * @param excess what a longer one is refused with
 * @throws SwiftletError RequestTooLarge, RequestTimeout when the caller stops sending, ClientClosedRequest when it hangs up
 */
export function collectBody(request: IncomingMessage, limitBytes: number, excess = tooLarge): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (settle: () => void) => {
      clearTimeout(idle);
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      settle();
    };
    const fail = (error: SwiftletError) => end(() => reject(error));
    const idle = setTimeout(
      () => fail(new SwiftletError('RequestTimeout', `the request's body stopped coming for ${clientIdleMs} ms`)),
      clientIdleMs,
    );
    const onData = (chunk: Buffer) => {
      idle.refresh();
      chunks.push(chunk);
      length += chunk.length;
      if (length > limitBytes) fail(excess(limitBytes));
    };
    const onEnd = () => end(() => resolve(Buffer.concat(chunks)));
    const onClose = () => fail(new SwiftletError('ClientClosedRequest', 'the caller hung up'));
    request.on('data', onData).once('end', onEnd).once('close', onClose).once('error', onClose);
  });
}

export const tooLarge = (limitBytes: number): SwiftletError =>
  new SwiftletError(
    'RequestTooLarge',
    `the body of an asynchronous request is over the limit of ${limitBytes} bytes; send less, send a link to it, or wait for the answer (without "Prefer: respond-async")`,
  );
