// The function's secrets: put where its code finds them, and masked in what the platform is told of it. Code that wants to give a
// secret away can; this is for what happens without wanting it: an environment that is printed, a message with a connection string.
import { Buffer, stringify } from './intrinsics.mjs';

const { mkdirSync, writeFileSync } = process.getBuiltinModule('node:fs');
const { tmpdir } = process.getBuiltinModule('node:os');
const { join } = process.getBuiltinModule('node:path');
const { inspect } = process.getBuiltinModule('node:util');

/**
 * As the agent sends it, see `InitSecret` in src/wire/instance-protocol.ts.
 * @typedef {{ variable: string, as: 'environment' | 'file', value: string }} Secret
 */

const folderName = 'secrets';
const mask = '***';
/** No secret is shorter; a line of one that is stands in other text, too. */
const shortest = 8;
/** Of a longer string `console.log` shows so much. */
const inspectedCharacters = 10_000;
const bitsPerByte = 8;
const bitsPerDigit = 6;

/** Everything that is masked, the longest first. @type {string[]} */
let forms = [];

/**
 * Writes those that are files, in a folder in memory that is this sandbox's own.
 * @param {readonly Secret[]} secrets
 * @returns {Record<string, string>} the variables that they are found by
 */
export function placeSecrets(secrets) {
  forms = [...new Set(secrets.flatMap(({ value }) => formsOf(value)))].sort((one, other) => other.length - one.length);
  const folder = join(tmpdir(), folderName);
  if (secrets.some(({ as }) => as === 'file')) mkdirSync(folder, { mode: 0o700 });
  /** @type {Record<string, string>} */
  const variables = {};
  for (const { variable, as, value } of secrets) {
    variables[variable] = as === 'file' ? join(folder, variable) : value;
    if (as === 'file') writeFileSync(join(folder, variable), value, { mode: 0o400, flag: 'wx' });
  }
  return variables;
}

/** A text without any secret, in whatever way one was written into it. @param {string} text */
export function masked(text) {
  let rest = text;
  for (const form of forms) if (rest.includes(form)) rest = rest.split(form).join(mask);
  return rest;
}

/**
 * A secret as programs write it: as it is, as a string in JSON and in what `console.log` makes of an object, in a URL, in Base64, and
 * line by line.
 * @param {string} value
 */
function formsOf(value) {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const bytes = Buffer.from(value);
  return [
    value,
    value.slice(0, inspectedCharacters),
    stringify(value).slice(1, -1),
    inspect(value, { breakLength: Infinity, maxStringLength: Infinity }).slice(1, -1),
    encodeURIComponent(value),
    bytes.toString('hex'),
    ...(lines.length > 1 ? lines : []),
    ...[0, 1, 2].flatMap((before) => base64Of(bytes, before)),
  ].filter((form) => form.length >= shortest);
}

/**
 * What is always the same of a text in Base64, with other text before and behind it: `user:secret` in a header.
 * @param {Buffer} bytes @param {number} before bytes in front of it, modulo three
 */
function base64Of(bytes, before) {
  const first = Math.ceil((before * bitsPerByte) / bitsPerDigit);
  const last = Math.floor(((before + bytes.length) * bitsPerByte) / bitsPerDigit);
  const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
  return [shifted.toString('base64').slice(first, last), shifted.toString('base64url').slice(first, last)];
}
