import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Document, isMap, isNode, isScalar, LineCounter, type Pair, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { type ErrorCode, SwiftletError } from '../model/errors.ts';
import { runtimeNames } from '../model/runtimes.ts';
import { suggestion } from './closest.ts';
import {
  asyncSchema,
  buildSchema,
  destinationsEntrySchema,
  functionEntrySchema,
  type Manifest,
  manifestSchema,
  queueSchema,
  rolloutSchema,
  settingsSchema,
  timerEntrySchema,
} from './manifest-schema.ts';
import { corsEntrySchema } from './cors-entry-schema.ts';
import { protectSchema } from './protect-entry-schema.ts';
import { scaleSchema } from './scale-entry-schema.ts';
import { keysOfSource, sourceEntrySchema } from './source-entry-schema.ts';

export const manifestName = 'swiftlet.yaml';
const maxManifestBytes = 256 * 1024;
/** What one alias may unfold to: enough for shared settings, too little for a bomb. */
const maxAliases = 100;

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** A manifest, and where in its text what stands. */
export interface ManifestText {
  readonly manifest: Manifest;
  /** Like `swiftlet.yaml:7:13`; of something that is not there, the place of what would hold it. */
  readonly placeOf: (path: Path) => string;
}

/**
 * Reads a manifest.
 * @throws SwiftletError ManifestInvalid, RuntimeUnknown or NameInvalid that says where: `swiftlet.yaml:7:13`
 */
export async function readManifest(path: string): Promise<ManifestText> {
  return parseManifest(await readFile(path, 'utf8'), basename(path));
}

/** @param file what the text is called in messages */
export function parseManifest(text: string, file: string): ManifestText {
  if (Buffer.byteLength(text) > maxManifestBytes) throw at('ManifestInvalid', file, `it is over ${maxManifestBytes} bytes`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  // A warning is about a tag that nobody resolves: what it stands for is not what was meant.
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) throw at('ManifestInvalid', place(fault.pos[0]), fault.message);
  refusePrototypes(document, place);
  const parsed = manifestSchema.safeParse(valueOf(document, file));
  if (parsed.success) return { manifest: parsed.data, placeOf: (path) => place(offsetOf(document, path)) };
  // A key that is missing is mostly one that was mistyped.
  const issue = parsed.error.issues.find(({ code }) => code === 'unrecognized_keys') ?? parsed.error.issues[0];
  if (issue === undefined) throw at('ManifestInvalid', file, 'it is not valid');
  throw explain(issue, document, place(issueOffset(document, issue)));
}

/** Schemas pass over this key silently, so that what is below it would be neither checked nor deployed. */
function refusePrototypes(document: Document, place: (offset: number) => string): void {
  visit(document, {
    Pair(_index, { key }: Pair) {
      if (isScalar(key) && key.value === '__proto__') throw at('NameInvalid', place(key.range?.[0] ?? 0), '"__proto__" is no name');
    },
  });
}

function valueOf(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    throw new SwiftletError(
      'ManifestInvalid',
      `${file}: ${error instanceof Error ? error.message : String(error)}; write out what its aliases stand for`,
      {
        cause: error,
        place: file,
      },
    );
  }
}

const at = (code: ErrorCode, place: string, message: string): SwiftletError => new SwiftletError(code, `${place}: ${message}`, { place });

/** Wrong keys are at the key, wrong values at the value. */
const issueOffset = (document: Document, issue: Issue): number => {
  if (issue.code === 'unrecognized_keys') return keyOffset(document, [...issue.path, issue.keys[0] ?? '']);
  return issue.code === 'invalid_key' ? keyOffset(document, issue.path) : offsetOf(document, issue.path);
};

function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function keyOffset(document: Document, path: Path): number {
  const holder: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const wanted = String(path.at(-1));
  const key = isMap(holder) ? holder.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === wanted)?.key : undefined;
  return isScalar(key) && key.range ? key.range[0] : offsetOf(document, path);
}

function explain(issue: Issue, document: Document, place: string): SwiftletError {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const [unknown = ''] = issue.keys;
    return at('ManifestInvalid', place, `unknown key "${unknown}"${suggestion(unknown, keysAt(issue.path))}`);
  }
  if (issue.code === 'invalid_value' && issue.path.at(-1) === 'runtime') {
    const value = String(document.getIn(issue.path));
    return at('RuntimeUnknown', place, `unknown runtime "${value}"${suggestion(value, runtimeNames)}`);
  }
  if (issue.code === 'invalid_key') {
    const kind = nameKinds[String(issue.path.at(-2))];
    const what = `"${String(issue.path.at(-1))}" is no name for a ${kind ?? 'variable'}`;
    return at(kind !== undefined ? 'NameInvalid' : 'ManifestInvalid', place, `${what}: ${issue.issues[0]?.message ?? issue.message}`);
  }
  return at(path === 'service' ? 'NameInvalid' : 'ManifestInvalid', place, `${path === '' ? 'the manifest' : path}: ${issue.message}`);
}

/** What is named in the manifest, by the key that holds the names; variables have other rules. */
const nameKinds: Readonly<Record<string, string>> = { functions: 'function', timers: 'timer', sources: 'source' };

/** The keys that may stand where an unknown one does. */
function keysAt(path: Path): string[] {
  if (path.length === 0) return Object.keys(manifestSchema.shape);
  if (path.at(-1) === 'queue') return Object.keys(queueSchema.shape);
  if (path.at(-1) === 'async') return Object.keys(asyncSchema.shape);
  if (path.at(-1) === 'scale') return Object.keys(scaleSchema.shape);
  if (path.at(-1) === 'protect') return Object.keys(protectSchema.shape);
  if (path.at(-1) === 'cors') return Object.keys(corsEntrySchema.shape);
  if (path.at(-1) === 'rollout') return Object.keys(rolloutSchema.shape);
  if (path.at(-1) === 'network') return ['allow', 'deny'];
  if (path.at(-1) === 'build') return Object.keys(buildSchema.shape);
  if (path.at(-1) === 'destinations') return Object.keys(destinationsEntrySchema.shape);
  if (path.at(-2) === 'timers') return Object.keys(timerEntrySchema.shape);
  if (path.at(-2) === 'sources') return Object.keys(sourceEntrySchema.shape);
  if (path.at(-3) === 'sources') return keysOfSource(String(path.at(-1)));
  return Object.keys(path[0] === 'defaults' ? settingsSchema.shape : functionEntrySchema.shape);
}
