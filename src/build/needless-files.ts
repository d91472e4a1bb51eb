/** What packages bring along that no running code asks for. Only of what is installed: a function's own files are its own affair. */
import { z } from 'zod';
import type { NeedlessKind } from '../model/size.ts';
import type { PartOfFile } from './parts-of-bundle.ts';

type ByPath = readonly (readonly [kind: NeedlessKind, ofInner: RegExp])[];

const ofNpm: ByPath = [
  ['tests', /^(?:tests?|spec)\/|(?:^|\/)__tests__\/|\.(?:test|spec)\.[cm]?[jt]sx?$/],
  ['documents', /^(?:docs?|examples?|benchmarks?)\/|\.(?:md|markdown)$/i],
  ['source maps', /\.(?:[cm]?js|[cm]?ts|css)\.map$/],
  ['types', /\.d\.[cm]?ts$|\.flow$/],
];
const ofPython: ByPath = [
  ['tests', /(?:^|\/)tests?\//],
  ['types', /\.pyi$/],
];

const lockSchema = z.object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) });
const packageSchema = z.object({
  dependencies: z.record(z.string(), z.unknown()).default({}),
  devDependencies: z.record(z.string(), z.unknown()).default({}),
});

/**
 * @param texts npm's lists, as far as the bundle has them
 * @returns tells of a file why nothing needs it; undefined: something may
 */
export function needlessFinder(texts: ReadonlyMap<string, string>): (part: PartOfFile) => NeedlessKind | undefined {
  const isOfDevelopment = developmentPackages(texts);
  return ({ kind, path, inner }) => {
    if (kind === 'npm' && isOfDevelopment(path)) return 'development dependencies';
    if (kind === 'npm' && path.includes('node_modules/@types/')) return 'types';
    const rules = kind === 'npm' ? ofNpm : kind === 'python' ? ofPython : [];
    return rules.find(([, ofInner]) => ofInner.test(inner))?.[0];
  };
}

/** A lock knows it of every package; without one it is known of those that are asked for by name. */
function developmentPackages(texts: ReadonlyMap<string, string>): (path: string) => boolean {
  for (const name of ['node_modules/.package-lock.json', 'package-lock.json']) {
    const lock = lockSchema.safeParse(parsed(texts.get(name)));
    if (lock.success) return (path) => lock.data.packages[path]?.dev === true;
  }
  const { dependencies, devDependencies } = packageSchema.safeParse(parsed(texts.get('package.json'))).data ?? packageSchema.parse({});
  const names = Object.keys(devDependencies).filter((name) => !Object.hasOwn(dependencies, name));
  const paths = new Set(names.map((name) => `node_modules/${name}`));
  return (path) => paths.has(path);
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
