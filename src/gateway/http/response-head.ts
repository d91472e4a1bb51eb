/** A function's answer is checked before a byte of it goes out: it may be broken or hostile. */
import { SwiftletError } from '../../model/errors.ts';
import { maxHeaderBytes, maxHeaderCount } from '../../model/limits.ts';
import { isPlatformHeader } from '../../model/platform-headers.ts';

export interface ResponseHeadChecked {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: string[];
  /** What the function said the body's length is. */
  readonly contentLength: number | undefined;
}

/** Functions give the same head again and again. What was read last is kept, to be copied. */
let lastSeen: { readonly payload: Buffer; readonly head: ResponseHeadChecked } | undefined;
const longestKept = 1024;

/** @returns a head whose status is one of an answer's, or 101 @throws SwiftletError InvalidResponse or ResponseTooLarge */
export function checkHead(payload: Buffer): ResponseHeadChecked {
  if (lastSeen?.payload.equals(payload) === true) return { ...lastSeen.head, headers: [...lastSeen.head.headers] };
  const head = readHead(payload);
  if (payload.length <= longestKept) lastSeen = { payload: Buffer.from(payload), head: { ...head, headers: [...head.headers] } };
  return head;
}

const switchingProtocols = 101;

function readHead(payload: Buffer): ResponseHeadChecked {
  if (payload.length > maxHeaderBytes)
    throw new SwiftletError('ResponseTooLarge', `the response's headers are over ${maxHeaderBytes} bytes`);
  const [status, raw] = parseHead(payload);
  if (status !== switchingProtocols && (!Number.isInteger(status) || status < 200 || status > 599))
    throw invalid(`its status is ${status}`);
  if (raw.length > maxHeaderCount * 2) throw new SwiftletError('ResponseTooLarge', `the response has over ${maxHeaderCount} headers`);
  const headers: string[] = [];
  let contentLength: number | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    const [name, value] = [raw[at], raw[at + 1]];
    if (typeof name !== 'string' || typeof value !== 'string' || !isToken(name))
      throw invalid(`its header ${JSON.stringify(name)} has a name or value that is none`);
    if (!isFieldValue(value)) throw invalid(`its header "${name}" has a character that no header may have`);
    if (name === 'transfer-encoding')
      throw invalid('its header "transfer-encoding" would frame the message, which is the platform’s to do');
    if (name === 'content-length') contentLength = lengthOf(value, contentLength);
    // How a message is framed is ours to say; what the platform says of itself cannot be forged.
    if (!isPlatformHeader(name)) headers.push(name, value);
  }
  return { status, headers, contentLength };
}

function parseHead(payload: Buffer): [number, unknown[]] {
  try {
    const head: unknown = JSON.parse(payload.toString());
    if (Array.isArray(head) && typeof head[0] === 'number' && Array.isArray(head[1])) return [head[0], head[1] as unknown[]];
  } catch {
    // Said below, as for anything else that is no head.
  }
  throw invalid('its head cannot be read');
}

function lengthOf(value: string, before: number | undefined): number {
  const length = Number(value);
  if (before !== undefined && before !== length) throw invalid('it has two lengths');
  if (!Number.isSafeInteger(length) || String(length) !== value || length < 0) throw invalid('its content-length is no length');
  return length;
}

const invalid = (reason: string): SwiftletError =>
  new SwiftletError('InvalidResponse', `the function returned something that is no response: ${reason}`);

const tokenCharacters = new Uint8Array(128);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") tokenCharacters[character.charCodeAt(0)] = 1;

/** In lower case, as the protocol has them: in any other a header of ours would not be known again. */
function isToken(name: string): boolean {
  for (let at = 0; at < name.length; at++) if (tokenCharacters[name.charCodeAt(at)] !== 1) return false;
  return name.length > 0;
}

/** Visible characters, spaces, tabs and Latin-1: RFC 9110, field-value. */
function isFieldValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}
