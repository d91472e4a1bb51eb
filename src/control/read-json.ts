/** JSON from an address on the network: so much of it and no more, and no redirect is followed. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { AddressPolicy } from '../role/address-policy.ts';
import { guardedLookup } from '../role/guarded-lookup.ts';

const maxBytes = 1024 * 1024;
/** Of what a tenant names: all of it is published. */
const maxGuardedBytes = 32 * 1024;

/** From an address that whoever runs the platform has named. @throws Error */
export async function readJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return jsonOf((response.body ?? []) as AsyncIterable<Uint8Array>, maxBytes, url);
}

/** From an address that a tenant has named, if the policy allows where it leads. */
export const guardedReadJson =
  (policy: AddressPolicy) =>
  async (url: string, signal: AbortSignal): Promise<unknown> => {
    const { protocol, hostname } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    // An address in the URL is not looked up by anybody.
    if (isIP(host) !== 0 && !policy.allows(host)) throw forbidden(host);
    const send = protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, { agent: false, signal, lookup: guardedLookup(policy, forbidden), headers: { accept: 'application/json' } });
    // Who waits for the answer hears of it; what comes afterwards is nobody's concern.
    request.on('error', () => undefined);
    try {
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      if (response.statusCode !== 200) throw new Error(`${url} answers ${response.statusCode ?? 0}`);
      return await jsonOf(response as AsyncIterable<Uint8Array>, maxGuardedBytes, url);
    } finally {
      request.destroy();
    }
  };

const forbidden = (what: string): Error =>
  new Error(`keys may not be read from ${what}: the address is not public; the operator can allow it with SWIFTLET_WEBHOOK_ALLOW`);

async function jsonOf(body: AsyncIterable<Uint8Array>, limitBytes: number, url: string): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > limitBytes) throw new Error(`${url} answers with more than ${limitBytes} bytes`);
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString());
}
