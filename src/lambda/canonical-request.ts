/**
 * The canonical form of a request that AWS Signature Version 4 signs: one spelling for what HTTP lets be spelt in many ways
 * (AWS's "Create a signed AWS API request"; for every service but S3 the path is encoded once more than it is sent). Pure.
 */
export interface SignedRequest {
  readonly method: string;
  /** As it stands in the request line: path and query. */
  readonly target: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
}

/** The parameter of a request that is signed in its query: it is not signed itself. */
export const signatureParameter = 'X-Amz-Signature';

/**
 * @param signedHeaders names in lower case and in order, as the signature has them
 * @param bodyHash SHA-256 of the body, in hex
 * @returns undefined for a request that has no canonical form, or lacks a header that is signed: no signature is right for it
 */
export function canonicalRequest(
  { method, target, rawHeaders }: SignedRequest,
  signedHeaders: readonly string[],
  bodyHash: string,
): string | undefined {
  const mark = target.indexOf('?');
  const path = canonicalPath(mark < 0 ? target : target.slice(0, mark));
  const query = mark < 0 ? '' : canonicalQuery(target.slice(mark + 1));
  const headers = canonicalHeaders(rawHeaders, signedHeaders);
  if (path === undefined || query === undefined || headers === undefined) return undefined;
  return `${method}\n${path}\n${query}\n${headers}\n${signedHeaders.join(';')}\n${bodyHash}`;
}

/** Percent-encoding of RFC 3986: all but letters, digits and `-._~`. */
const encode = (text: string): string =>
  isUnreserved(text)
    ? text
    : encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

function isUnreserved(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isLetter = (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
    if (!isLetter && !(code >= 0x30 && code <= 0x39) && code !== 0x2d && code !== 0x2e && code !== 0x5f && code !== 0x7e) return false;
  }
  return true;
}

function canonicalPath(path: string): string | undefined {
  const parts = path.split('/');
  const isPlain = parts.every((part, at) => part !== '.' && part !== '..' && (part !== '' || at === 0 || at === parts.length - 1));
  return path.startsWith('/') && isPlain ? parts.map(encode).join('/') : undefined;
}

function canonicalQuery(query: string): string | undefined {
  try {
    const parameters = query.split('&').flatMap((part) => {
      const [name = '', ...value] = part.split('=');
      return part === '' || name === signatureParameter
        ? []
        : [[encode(decodeURIComponent(name)), encode(decodeURIComponent(value.join('=')))] as const];
    });
    return parameters
      .sort(([name, value], [otherName, otherValue]) => compare(name, otherName) || compare(value, otherValue))
      .map((parameter) => parameter.join('='))
      .join('&');
  } catch {
    // A percent sign that encodes nothing.
    return undefined;
  }
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** A line each. */
function canonicalHeaders(rawHeaders: readonly string[], signedHeaders: readonly string[]): string | undefined {
  const values = new Map<string, string | undefined>();
  for (const name of signedHeaders) values.set(name, undefined);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!values.has(name)) continue;
    const [before, value] = [values.get(name), collapsed(rawHeaders[at + 1] ?? '')];
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  let lines = '';
  for (const [name, value] of values) {
    if (value === undefined) return undefined;
    lines += `${name}:${value}\n`;
  }
  return lines;
}

const space = 0x20;
const lastPlain = 0x7e;

/** With one space where there is white space between words, and none around them. */
function collapsed(value: string): string {
  let before = space;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code < space || code > lastPlain || (code === space && before === space)) return value.trim().replace(/\s+/g, ' ');
    before = code;
  }
  return before === space ? value.trim() : value;
}
