// An invocation as the program gets it: the event, and what belongs to it as headers.
import { Buffer, epochMs, parse, stringify } from '../node/intrinsics.mjs';
import { toHttpEvent } from '../node/rest-event.mjs';

const { randomBytes } = process.getBuiltinModule('node:crypto');
const contextHeader = 'x-amz-client-context';
const traceHeader = 'x-amzn-trace-id';
const parentHeader = 'traceparent';
const msPerSecond = 1_000;

/** @param {import('../node/instance.mjs').InitRequest} settings */
export const arnOf = (settings) => `arn:swiftlet:functions:local:default:function:${settings.function}`;

/** @param {import('node:http').ServerResponse} response @param {import('../node/invocation.mjs').Invocation} invocation @param {string} traceId */
export function sendEvent(response, invocation, traceId) {
  const { requestId, head, settings, isHttp, body } = invocation;
  const event = isHttp ? Buffer.from(stringify(toHttpEvent(head, body.whole, settings))) : body.whole;
  const payload = event.length === 0 ? Buffer.from('{}') : event;
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': payload.length,
    'Lambda-Runtime-Aws-Request-Id': requestId,
    'Lambda-Runtime-Deadline-Ms': Math.round(head[2]),
    'Lambda-Runtime-Invoked-Function-Arn': arnOf(settings),
    'Lambda-Runtime-Trace-Id': traceId,
  };
  const context = isHttp ? undefined : headerIn(head[7], contextHeader);
  response.writeHead(200, context === undefined ? headers : { ...headers, 'Lambda-Runtime-Client-Context': asHeader(context) });
  response.end(payload);
}

/** JSON without characters that a header cannot have. @param {string} base64 */
function asHeader(base64) {
  const text = stringify(parse(Buffer.from(base64, 'base64').toString()));
  return text.replaceAll(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The caller's, in AWS X-Ray's form or W3C's; else a new one that is not sampled. @param {readonly string[]} headers */
export function traceIdOf(headers) {
  const given = headerIn(headers, traceHeader);
  if (given !== undefined) return given.replaceAll(/[^\x20-\x7e]/g, '');
  const [, trace = '', parent, flags] = headerIn(headers, parentHeader)?.match(/^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/) ?? [];
  if (parent !== undefined && flags !== undefined)
    return `Root=1-${trace.slice(0, 8)}-${trace.slice(8)};Parent=${parent};Sampled=${Number.parseInt(flags, 16) & 1}`;
  const second = Math.floor(epochMs() / msPerSecond)
    .toString(16)
    .padStart(8, '0');
  return `Root=1-${second}-${randomBytes(12).toString('hex')};Sampled=0`;
}

/** @param {readonly string[]} headers names in lower case and values in turn @param {string} name */
function headerIn(headers, name) {
  const at = headers.findIndex((one, index) => index % 2 === 0 && one === name);
  return at < 0 ? undefined : headers[at + 1];
}
