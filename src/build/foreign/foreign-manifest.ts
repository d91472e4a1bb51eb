/** What another tool's file says of functions, as `swiftlet.yaml` would say it, and what of it is not taken over. */
import { SwiftletError } from '../../model/errors.ts';
import { nameRule, nameSchema } from '../../model/names.ts';
import { manifestSchema } from '../manifest-schema.ts';
import type { ManifestText } from '../manifest.ts';
import type { YamlText } from './yaml-text.ts';

export type Path = readonly PropertyKey[];

/** A function, and where in the file it stands. */
export interface ForeignFunction {
  readonly name: string;
  readonly at: Path;
  /** As an entry below `functions` in `swiftlet.yaml`. */
  readonly entry: Readonly<Record<string, unknown>>;
}

/** A manifest that was made of another tool's file. */
export interface ForeignText extends ManifestText {
  /** What the file is called. */
  readonly file: string;
  /** A line for each thing that is not taken over, with its place. */
  readonly notTaken: readonly string[];
}

/** Collects what is not taken over while a file is read. */
export class NotTaken {
  readonly #text: Pick<YamlText, 'placeOf'>;
  readonly lines: string[] = [];

  constructor(text: Pick<YamlText, 'placeOf'>) {
    this.#text = text;
  }

  /** @param why what becomes of it, or what to do instead */
  add(at: Path, why = 'not supported, and left out'): void {
    this.lines.push(`${this.#text.placeOf(at)}: ${at.map(String).join('.')}: ${why}`);
  }

  /** Everything in `section` but what is taken. */
  addOthers(section: Readonly<Record<string, unknown>>, at: Path, taken: readonly string[]): void {
    for (const key of Object.keys(section)) if (!taken.includes(key)) this.add([...at, key]);
  }
}

/** @throws SwiftletError ManifestInvalid at the function that cannot be */
export function foreignText(text: YamlText, functions: readonly ForeignFunction[], notTaken: NotTaken): ForeignText {
  const places = new Map<string, Path>();
  for (const { name, at } of functions) {
    if (!nameSchema.safeParse(name).success)
      throw text.refuse(at, `no name can be made of "${name}" (a name is ${nameRule}); give it one with "name"`);
    if (places.has(name)) throw text.refuse(at, `two functions would be called "${name}"; give one another name`);
    places.set(name, at);
  }
  if (functions.length === 0) throw text.refuse([], 'it has no functions that could be deployed');
  const parsed = manifestSchema.safeParse({ functions: Object.fromEntries(functions.map(({ name, entry }) => [name, entry])) });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const [, name = '', ...rest] = issue?.path ?? [];
    throw text.refuse(places.get(String(name)) ?? [], `${rest.map(String).join('.')}: ${issue?.message ?? 'is not valid'}`);
  }
  const placeOf = ([, name = '']: Path) => text.placeOf(places.get(String(name)) ?? []);
  return { manifest: parsed.data, placeOf, file: text.file, notTaken: notTaken.lines };
}

/** A name as it is, or, where it cannot be one here, in small letters and hyphens. */
export const nearestName = (wanted: string): string => (nameSchema.safeParse(wanted).success ? wanted : kebab(wanted));

/** `createUser` is `create-user`. */
export const kebab = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase();

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What it is of that may be missing. @throws SwiftletError when it is something else */
export function section(text: Pick<YamlText, 'refuse'>, value: unknown, at: Path): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (isRecord(value)) return value;
  throw text.refuse(at, 'it has keys and values');
}

/** @throws SwiftletError for what is neither a list nor missing */
export function list(text: Pick<YamlText, 'refuse'>, value: unknown, at: Path): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw text.refuse(at, 'it is a list');
}

/** Text or a number, as text. @throws SwiftletError for anything else, such as what only AWS could tell */
export function word(text: Pick<YamlText, 'refuse'>, value: unknown, at: Path): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw text.refuse(at, 'it is text that stands in this file');
}

export const manifestError = (place: string, what: string): SwiftletError =>
  new SwiftletError('ManifestInvalid', `${place}: ${what}`, { place });
