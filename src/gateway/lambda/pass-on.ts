/** Requests of Lambda's API that control answers: passed on as they came, with the signature, which control verifies itself. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { LambdaError } from '../../lambda/lambda-error.ts';
import { clientIdleMs } from '../../model/limits.ts';
import { closeAfter } from '../request/reply.ts';

/** A package is checked, unpacked and placed in it. */
const answerLimitMs = 60_000;
/** What is of one connection alone. */
const ownHeaders = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade', 'expect', 'x-forwarded-for']);

/**
 * Passes a request on, and its answer back.
 * @throws LambdaError ServiceUnavailableException while control is away, as long as nothing is answered yet
 */
export async function passOn(socketPath: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  const passed = httpRequest({ socketPath, method, path: url, headers: passedHeaders(request), setHost: false, agent: false });
  // Who waits for the answer hears of it; what comes afterwards is nobody's concern.
  passed.on('error', () => undefined);
  passed.setTimeout(answerLimitMs, () => passed.destroy(new Error('control took too long')));
  response.once('close', () => passed.destroy());
  // A caller that stops sending has had its time; one that waits for its answer has not.
  request.setTimeout(clientIdleMs, () => passed.destroy(new Error('the request stopped coming')));
  request.once('end', () => request.setTimeout(0));
  request.pipe(passed);
  try {
    const [answer] = (await once(passed, 'response')) as [IncomingMessage];
    const headers = endToEnd(answer.rawHeaders);
    // A refusal may come before the body has been taken.
    if (!request.complete) closeAfter(response, headers);
    request.unpipe(passed);
    response.writeHead(answer.statusCode ?? 502, headers);
    await pipeline(answer, response);
  } catch (error) {
    request.unpipe(passed);
    if (response.headersSent) response.destroy();
    else throw new LambdaError('ServiceUnavailableException', 'Control is away; try again in a moment.', { cause: error });
  } finally {
    request.setTimeout(0);
    passed.destroy();
  }
}

/** Who sends it is ours to say. */
const passedHeaders = ({ rawHeaders, socket }: IncomingMessage): string[] => [
  ...endToEnd(rawHeaders),
  'x-forwarded-for',
  socket.remoteAddress ?? '',
];

function endToEnd(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (!ownHeaders.has(name.toLowerCase())) headers.push(name, raw[at + 1] ?? '');
  }
  return headers;
}
