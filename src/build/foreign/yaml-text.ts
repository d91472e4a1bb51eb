/** A YAML file of another tool: its value, with CloudFormation's short forms written out, and where in it what stands. */
import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type ScalarTag,
  type CollectionTag,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { SwiftletError } from '../../model/errors.ts';
import { manifestError, type Path } from './foreign-manifest.ts';

const maxBytes = 1024 * 1024;
/** What one alias may unfold to: enough for shared settings, too little for a bomb. */
const maxAliases = 100;
/** CloudFormation's functions. Those of their long forms that do not begin with `Fn::`. */
const plain = ['Ref', 'Condition'];
const functions = [
  'Base64',
  'Cidr',
  'FindInMap',
  'GetAtt',
  'GetAZs',
  'If',
  'ImportValue',
  'Join',
  'Select',
  'Split',
  'Sub',
  'And',
  'Equals',
];
const tests = ['Not', 'Or', 'Transform', 'ToJsonString', 'Length', 'ForEach'];

export interface YamlText {
  readonly file: string;
  readonly value: unknown;
  /** Like `serverless.yml:7:13`; of something that is not there, the place of what would hold it. */
  readonly placeOf: (at: Path) => string;
  readonly refuse: (at: Path, what: string) => SwiftletError;
}

const tags = [...plain, ...functions, ...tests].flatMap((name) => {
  const tag = `!${name}`;
  const long = plain.includes(name) ? name : `Fn::${name}`;
  const whole = (held: YAMLMap.Parsed | YAMLSeq.Parsed | YAMLMap | YAMLSeq) => ({ [long]: held.toJSON() as unknown });
  const scalar: ScalarTag = { tag, resolve: (text) => ({ [long]: name === 'GetAtt' ? text.split('.') : text }) };
  const sequence: CollectionTag = { tag, collection: 'seq', resolve: whole };
  const map: CollectionTag = { tag, collection: 'map', resolve: whole };
  return [scalar, sequence, map];
});

/** @param file what it is called in messages @throws SwiftletError ManifestInvalid with the place */
export function readYaml(text: string, file: string): YamlText {
  if (Buffer.byteLength(text) > maxBytes) throw manifestError(file, `it is over ${maxBytes} bytes`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, customTags: tags });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) throw manifestError(place(fault.pos[0]), fault.message);
  const placeOf = (at: Path) => place(offsetOf(document.contents, at));
  return {
    file,
    value: valueOf(() => document.toJS({ maxAliasCount: maxAliases }), file),
    placeOf,
    refuse: (at, what) => manifestError(placeOf(at), prefixed(at, what)),
  };
}

const prefixed = (at: Path, what: string): string => (at.length === 0 ? what : `${at.map(String).join('.')}: ${what}`);

function valueOf(read: () => unknown, file: string): unknown {
  try {
    return read();
  } catch (error) {
    throw manifestError(file, `${error instanceof Error ? error.message : String(error)}; write out what its aliases stand for`);
  }
}

/** Of a key rather than of its value: what is told of is mostly the key. */
function offsetOf(root: unknown, at: Path): number {
  let [node, offset] = [root, isNode(root) ? (root.range?.[0] ?? 0) : 0];
  for (const part of at) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) return offset;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
