/**
 * Signatures of AWS Signature Version 4, in a header or in the query: what a request claims, whether it may still be sent, and whether it was
 * signed by whoever has the key. Pure: who has which key, and what he may do, is decided elsewhere. Budget: 12 µs for a small request.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { canonicalRequest, signatureParameter, type SignedRequest } from './canonical-request.ts';
import { LambdaError } from './lambda-error.ts';
import { signingKeyOf } from './signing-key.ts';

/** What a request says of its signature. */
export interface PresentedSignature {
  readonly accessKeyId: string;
  /** `20260131`; the day of `time`. */
  readonly day: string;
  readonly region: string;
  /** `20260131T235959Z`, as it was signed. */
  readonly time: string;
  /** From when, and until when, in milliseconds since 1970, it may be sent; the clocks' difference comes on top. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** In lower case, in the order of the signature. */
  readonly headers: readonly string[];
  /** 64 hexadecimal digits. */
  readonly signature: string;
}

const algorithm = 'AWS4-HMAC-SHA256';
const service = 'lambda';
const terminator = 'aws4_request';
/** What the clocks of a caller and ours may differ, and how long a signature is good at most that says it. */
const skewMs = 5 * 60_000;
const longestSeconds = 7 * 86_400;
const credentialPattern = /^(\w{16,128})\/(\d{8})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/([a-z0-9_]{1,64})$/;
const timePattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const signaturePattern = /^[0-9a-f]{64}$/;
const headersPattern = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*$/;

/** Whether a request says that it is signed, by its header or its query; rightly or not. */
export const isKeySigned = ({ headers, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>): boolean =>
  headers.authorization?.startsWith(algorithm) === true || url.includes('X-Amz-Signature=');

/** @throws LambdaError MissingAuthenticationTokenException, IncompleteSignatureException, InvalidSignatureException, UnrecognizedClientException */
export function readSignature(request: SignedRequest): PresentedSignature {
  const headers = headersOf(request.rawHeaders);
  const mark = request.target.indexOf('?');
  const query = mark < 0 ? undefined : new URLSearchParams(request.target.slice(mark));
  const presented = query?.has('X-Amz-Algorithm') === true ? inQuery(query) : inHeader(headers);
  if (headers.has('x-amz-security-token') || query?.has('X-Amz-Security-Token') === true) throw unknownClient();
  demandSigned(headers, presented.headers);
  return presented;
}

/** @throws LambdaError InvalidSignatureException for one that may not be sent yet, or no more: also one that was recorded and is sent again */
export function demandCurrent({ time, fromMs, untilMs }: PresentedSignature, nowMs: number): void {
  if (nowMs < fromMs - skewMs)
    throw invalidSignature(
      `Signature not yet current: ${time} is still later than ${timeText(nowMs + skewMs)} (${timeText(nowMs)} + 5 min.)`,
    );
  if (nowMs > untilMs + skewMs)
    throw invalidSignature(`Signature expired: ${time} is now earlier than ${timeText(nowMs - skewMs)} (${timeText(nowMs)} - 5 min.)`);
}

/**
 * Whether a request was signed with a key, compared in a time that tells nothing about it.
 * @param dayKey see `dayKeyOf`
 * @param bodyHash SHA-256 of the body that came, in hex
 */
export function isSignedWith(dayKey: Buffer, presented: PresentedSignature, request: SignedRequest, bodyHash: string): boolean {
  const canonical = canonicalRequest(request, presented.headers, bodyHash);
  if (canonical === undefined) return false;
  const { day, region, time } = presented;
  const toSign = `${algorithm}\n${time}\n${day}/${region}/${service}/${terminator}\n${sha256(canonical)}`;
  const right = createHmac('sha256', signingKeyOf(dayKey, [region, service, terminator]))
    .update(toSign)
    .digest();
  return timingSafeEqual(right, Buffer.from(presented.signature, 'hex'));
}

export const sha256 = (content: string | Buffer): string => hash('sha256', content, 'hex');

export const signatureMismatch = (): LambdaError =>
  invalidSignature(
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );

export const unknownClient = (): LambdaError =>
  new LambdaError('UnrecognizedClientException', 'The security token included in the request is invalid.');

function inHeader(headers: ReadonlyMap<string, string>): PresentedSignature {
  const authorization = headers.get('authorization');
  if (authorization === undefined) throw new LambdaError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  if (!authorization.startsWith(`${algorithm} `))
    throw incomplete(`Authorization header requires the algorithm ${algorithm}; a token of Swiftlet opens the other ports`);
  const parts = partsOf(authorization.slice(algorithm.length));
  const missing = ['Credential', 'SignedHeaders', 'Signature'].filter((name) => !parts.has(name));
  if (missing.length > 0) throw incomplete(missing.map((name) => `Authorization header requires '${name}' parameter.`).join(' '));
  const time = headers.get('x-amz-date');
  if (time === undefined) throw incomplete("Authorization header requires existence of an 'X-Amz-Date' header.");
  return presentedOf({
    credential: parts.get('Credential') ?? '',
    signedHeaders: parts.get('SignedHeaders') ?? '',
    signature: parts.get('Signature') ?? '',
    time,
    seconds: 0,
  });
}

/** `Credential=…, SignedHeaders=…, Signature=…`: what is behind a second sign of equality counts for nothing. */
function partsOf(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.split(',')) {
    const said = part.trim();
    const [mark, next] = [said.indexOf('='), said.indexOf('=', said.indexOf('=') + 1)];
    if (mark < 0) parts.set(said, '');
    else parts.set(said.slice(0, mark), said.slice(mark + 1, next < 0 ? undefined : next));
  }
  return parts;
}

function inQuery(query: URLSearchParams): PresentedSignature {
  const names = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-SignedHeaders', signatureParameter];
  const missing = names.filter((name) => query.getAll(name).length !== 1);
  if (missing.length > 0) throw incomplete(`AWS query-string parameters must include each once: ${missing.join(', ')}.`);
  const of = (name: string): string => query.get(name) ?? '';
  if (of('X-Amz-Algorithm') !== algorithm) throw incomplete(`X-Amz-Algorithm has to be ${algorithm}.`);
  const seconds = Number(of('X-Amz-Expires'));
  if (!/^\d{1,6}$/.test(of('X-Amz-Expires')) || seconds < 1 || seconds > longestSeconds)
    throw incomplete(`X-Amz-Expires has to be from 1 to ${longestSeconds} seconds.`);
  return presentedOf({
    credential: of('X-Amz-Credential'),
    signedHeaders: of('X-Amz-SignedHeaders'),
    signature: of(signatureParameter),
    time: of('X-Amz-Date'),
    seconds,
  });
}

interface Said {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly time: string;
  readonly seconds: number;
}

function presentedOf({ credential, signedHeaders, signature, time, seconds }: Said): PresentedSignature {
  const [, accessKeyId = '', day = '', region = '', forService = '', end = ''] = credentialPattern.exec(credential) ?? [];
  if (accessKeyId === '' || end !== terminator) throw incomplete(`Credential must be <key>/YYYYMMDD/<region>/${service}/${terminator}.`);
  if (forService !== service) throw invalidSignature(`Credential should be scoped to correct service: '${service}'.`);
  const fromMs = msOf(time);
  if (fromMs === undefined) throw incomplete(`Date must be in ISO-8601 'basic format', as 20260131T235959Z. Got '${time.slice(0, 64)}'.`);
  if (!time.startsWith(day)) throw invalidSignature('Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.');
  if (!headersPattern.test(signedHeaders)) throw incomplete('SignedHeaders must be names in lower case, joined by semicolons.');
  if (!signaturePattern.test(signature)) throw incomplete('Signature must be 64 hexadecimal digits.');
  const headers = signedHeaders.split(';');
  return { accessKeyId, day, region, time, fromMs, untilMs: fromMs + seconds * 1_000, headers, signature };
}

/** What says what a request means must not be changed on its way. @throws LambdaError InvalidSignatureException */
function demandSigned(headers: ReadonlyMap<string, string>, signed: readonly string[]): void {
  const open = signed.includes('host') ? [] : ['host'];
  for (const name of headers.keys()) if (name.startsWith('x-amz-') && !signed.includes(name)) open.push(name);
  if (open.length > 0) throw invalidSignature(`There were headers present in the request which were not signed: ${open.join(', ')}`);
}

function headersOf(rawHeaders: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.set((rawHeaders[at] ?? '').toLowerCase(), rawHeaders[at + 1] ?? '');
  return headers;
}

/** Requests of one second say the same. */
let lastTime: { readonly text: string; readonly ms: number | undefined } = { text: '', ms: undefined };

function msOf(time: string): number | undefined {
  if (time !== lastTime.text) lastTime = { text: time, ms: readTime(time) };
  return lastTime.ms;
}

function readTime(time: string): number | undefined {
  const [, year, month, day, hour, minute, second] = (timePattern.exec(time) ?? []).map(Number);
  if (year === undefined || month === undefined) return undefined;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  // A month that there is not would be some other day.
  return timeText(ms) === time ? ms : undefined;
}

const timeText = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');

const incomplete = (message: string): LambdaError => new LambdaError('IncompleteSignatureException', message);
const invalidSignature = (message: string): LambdaError => new LambdaError('InvalidSignatureException', message);
