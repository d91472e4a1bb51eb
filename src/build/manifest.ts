import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type ErrorCode, SwiftletError } from '../model/errors.ts';
import { runtimeNames } from '../model/runtimes.ts';
import { suggestion } from './closest.ts';
import { type Manifest, manifestSchema } from './manifest-schema.ts';

export const manifestName = 'swiftlet.yaml';
const maxManifestBytes = 256 * 1024;

type Issue = z.core.$ZodIssue;

/**
 * Reads a manifest.
 * @throws SwiftletError ManifestInvalid, RuntimeUnknown or NameInvalid that says where: `swiftlet.yaml:7:13`
 */
export async function readManifest(path: string): Promise<Manifest> {
  return parseManifest(await readFile(path, 'utf8'), basename(path));
}

/** @param file what the text is called in messages */
export function parseManifest(text: string, file: string): Manifest {
  if (text.length > maxManifestBytes)
    throw new SwiftletError('ManifestInvalid', `${file} is over ${maxManifestBytes} bytes`, { place: file });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault !== undefined) throw at('ManifestInvalid', `${file}:${lineOf(lines, fault.pos[0])}`, fault.message);
  const parsed = manifestSchema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw at('ManifestInvalid', file, 'it is not valid');
  throw explain(issue, document, `${file}:${lineOf(lines, offsetOf(document, issue))}`);
}

const at = (code: ErrorCode, place: string, message: string): SwiftletError => new SwiftletError(code, `${place}: ${message}`, { place });

function lineOf(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}

/** Where in the text an issue is: at the key that is wrong, else at the value, else at what should hold it. */
function offsetOf(document: Document, issue: Issue): number {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function explain(issue: Issue, document: Document, place: string): SwiftletError {
  const path = issue.path.map(String).join('.');
  const key = String(issue.path.at(-1) ?? '');
  if (issue.code === 'unrecognized_keys') {
    const [unknown = ''] = issue.keys;
    return at('ManifestInvalid', place, `unknown key "${unknown}"${suggestion(unknown, keysAt(issue.path))}`);
  }
  if (key === 'runtime') {
    const value = String(document.getIn(issue.path));
    return at('RuntimeUnknown', place, `unknown runtime "${value}"${suggestion(value, runtimeNames)}`);
  }
  if (issue.code === 'invalid_key')
    return at('NameInvalid', place, `"${key}" is no name for a function: ${issue.issues[0]?.message ?? issue.message}`);
  return at('ManifestInvalid', place, `${path === '' ? 'the manifest' : path}: ${messageOf(issue)}`);
}

const messageOf = (issue: Issue): string =>
  issue.code === 'invalid_union'
    ? (issue.errors.flat().find((inner) => inner.code === 'invalid_format')?.message ?? issue.message)
    : issue.message;

/** The keys that may stand where an unknown one does. */
function keysAt(path: readonly PropertyKey[]): string[] {
  const entry = [
    'source',
    'handler',
    'runtime',
    'memory',
    'timeout',
    'initTimeout',
    'environment',
    'concurrency',
    'minimum',
    'maximum',
    'idle',
    'queue',
    'build',
  ];
  if (path.length === 0) return Object.keys(manifestSchema.shape);
  if (path.at(-1) === 'queue') return ['length', 'timeout'];
  if (path.at(-1) === 'build') return ['install', 'include', 'exclude'];
  return path[0] === 'defaults' ? entry.slice(2) : entry;
}
