// What the tests of custom runtimes ask of every client, see test/e2e/runtime-clients.test.ts.
import { setTimeout } from 'node:timers/promises';

if (process.env.FAIL === 'init') process.exit(7);
if (process.env.FAIL === 'thrown') throw new RangeError('no table');

export async function handler(event, context) {
  switch (event?.do) {
    case 'error':
      throw new TypeError('as asked');
    case 'exit':
      return process.exit(3);
    case 'sleep':
      return setTimeout(10_000);
    case 'context':
      return { id: context.awsRequestId, custom: context.clientContext.custom.name, leftMs: context.getRemainingTimeInMillis() };
    default:
      return event;
  }
}

export const streamed = globalThis.awslambda.streamifyResponse(async (event, stream) => {
  const metadata = { statusCode: 201, headers: { 'x-from': 'node' } };
  const answer = event.rawPath === undefined ? stream : globalThis.awslambda.HttpResponseStream.from(stream, metadata);
  answer.write(event.rawPath === undefined ? JSON.stringify(event) : 'one ');
  if (event.rawPath !== undefined) answer.write('two 🐦');
  answer.end();
});
