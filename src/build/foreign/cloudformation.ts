/** CloudFormation's functions, as far as a template says all that they need: references to parameters, to other functions, and texts made of them. Pure. */
import { isRecord, section } from './foreign-manifest.ts';
import type { YamlText } from './yaml-text.ts';

type Section = Readonly<Record<string, unknown>>;

/** What stands for anything that only AWS could tell: no text, so that whoever needs one tells of it. */
const untold = Symbol('told by AWS alone');
const inText = /\$\{([^!][^}]*)\}/g;

export class Intrinsics {
  readonly #parameters: ReadonlyMap<string, unknown>;
  readonly #functions: ReadonlyMap<string, string>;

  /** @param functions names of the functions, by their ids in the template */
  constructor(text: YamlText, parameters: Section, functions: ReadonlyMap<string, string>) {
    const given = Object.entries(parameters).map(([name, value]) => [name, section(text, value, ['Parameters', name])['Default']] as const);
    this.#parameters = new Map(given.filter(([, value]) => value !== undefined));
    this.#functions = functions;
  }

  /** The value with what can be told in its place; a symbol where it cannot. */
  resolved(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one: unknown) => this.resolved(one));
    if (!isRecord(value)) return value;
    const [name, of] = Object.entries(value)[0] ?? ['', undefined];
    if (name === 'Ref') return this.#reference(String(of));
    if (name === 'Fn::Sub') return this.#text(of);
    if (name === 'Fn::Join') return this.#joined(of);
    if (name.startsWith('Fn::') || name === 'Condition') return untold;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.resolved(one)]));
  }

  /** A parameter's default, or a function's name. */
  #reference(name: string): unknown {
    return this.#parameters.get(name) ?? this.#functions.get(name) ?? untold;
  }

  #text(of: unknown): unknown {
    const [text, more] = Array.isArray(of) ? (of as readonly unknown[]) : [of];
    const own = isRecord(more) ? more : {};
    let isTold = typeof text === 'string';
    const made = String(text).replace(inText, (_whole, name: string) => {
      const found = Object.hasOwn(own, name) ? this.resolved(own[name]) : this.#reference(name);
      isTold &&= typeof found === 'string' || typeof found === 'number';
      return String(found);
    });
    return isTold ? made.replaceAll('${!', '${') : untold;
  }

  #joined(of: unknown): unknown {
    const [between, parts] = Array.isArray(of) ? (of as readonly unknown[]) : [];
    if (typeof between !== 'string' || !Array.isArray(parts)) return untold;
    const found = parts.map((part: unknown) => this.resolved(part));
    return found.every((part) => typeof part === 'string' || typeof part === 'number') ? found.join(between) : untold;
  }
}
