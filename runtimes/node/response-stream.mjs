// AWS Lambda's streamed answers: awslambda.streamifyResponse((event, responseStream, context) => …).
import { Writable } from 'node:stream';
import { flattenHeaders } from './function-url.mjs';
import { streamMark } from './load-handler.mjs';

/** @param {import('./invocation.mjs').Invocation} invocation */
export function openResponseStream(invocation) {
  let prelude = {
    statusCode: 200,
    headers: /** @type {Record<string, string>} */ ({ 'content-type': 'application/octet-stream' }),
    cookies: /** @type {string[]} */ ([]),
  };
  const sendHead = () => {
    if (invocation.headSent || invocation.isOver) return;
    const headers = flattenHeaders(prelude.headers, undefined);
    for (const cookie of prelude.cookies ?? []) headers.push('set-cookie', String(cookie));
    invocation.sendHead(prelude.statusCode ?? 200, headers);
  };
  const stream = new Writable({
    write(chunk, _encoding, next) {
      sendHead();
      invocation.sendBody(chunk).then(() => next(), next);
    },
    final(next) {
      sendHead();
      invocation.done();
      next();
    },
  });
  return Object.assign(stream, {
    setContentType(contentType) {
      prelude.headers['content-type'] = contentType;
    },
    [preludeMark](value) {
      prelude = { ...prelude, ...value };
    },
  });
}

const preludeMark = Symbol('prelude');

/** Puts `awslambda` where code from AWS Lambda expects it. */
export function provideAwsLambda() {
  Object.defineProperty(globalThis, 'awslambda', {
    value: {
      streamifyResponse: (handler) => Object.assign(handler, { [streamMark]: true }),
      HttpResponseStream: {
        from(stream, prelude) {
          stream[preludeMark](prelude);
          return stream;
        },
      },
    },
    configurable: true,
  });
}
