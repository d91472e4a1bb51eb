/** What node:http lets pass in a request's head and a proxy in front of us might read differently. Budget: 0.3 µs. */
import type { IncomingMessage } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { maxHeaderCount } from '../../model/limits.ts';

/** @returns why no function may see the request, or undefined */
export function headFault({ httpVersionMajor, httpVersionMinor, rawHeaders }: IncomingMessage): SwiftletError | undefined {
  if (httpVersionMajor < 1) return new SwiftletError('BadRequest', 'HTTP/1.1 is needed');
  // node:http leaves out what is over its limit, also what the message's framing hangs on.
  if (rawHeaders.length > maxHeaderCount * 2)
    return new SwiftletError('HeadersTooLarge', `the request has over ${maxHeaderCount} headers; send fewer`);
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    hosts += 1;
    if (!isHost(rawHeaders[at + 1] ?? '')) return new SwiftletError('BadRequest', 'the Host header has a character that no host has');
  }
  if (hosts > 1) return new SwiftletError('BadRequest', 'the request has more than one Host header');
  if (hosts === 0 && httpVersionMinor > 0) return new SwiftletError('BadRequest', 'the request has no Host header');
  return undefined;
}

const notInHost = new Uint8Array(128);
for (const character of ' "#/<>?@\\^`{|},\t') notInHost[character.charCodeAt(0)] = 1;

function isHost(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code > 0x7e || code < 0x20 || notInHost[code] === 1) return false;
  }
  return true;
}
