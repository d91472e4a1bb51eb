/** Variables of `serverless.yml`, `${env:NAME, 'else'}` and the like, put in their places. Pure. */
import { isRecord, type Path } from './foreign-manifest.ts';
import type { YamlText } from './yaml-text.ts';

export interface VariableSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stage: string | undefined;
}

/** A variable that leads to itself comes to an end here. */
const deepest = 32;
const literalPattern = /^(?:'([^']*)'|"([^"]*)"|(-?\d+(?:\.\d+)?)|(true|false)|(null))$/;
const sourcePattern = /^([A-Za-z]+)(?:\([^)]*\))?:(.*)$/s;

/** What one alternative comes to: a value, nothing, or that nobody here can tell. */
type Found = { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'nothing' } | { readonly kind: 'unknown' };

export class Variables {
  readonly #text: YamlText;
  readonly #sources: VariableSources;

  constructor(text: YamlText, sources: VariableSources) {
    this.#text = text;
    this.#sources = sources;
  }

  /** @throws SwiftletError ManifestInvalid for one that has no value, or that only AWS could tell */
  resolved(value: unknown, at: Path, depth = 0): unknown {
    if (typeof value === 'string') return this.#ofText(value, at, depth);
    if (Array.isArray(value)) return value.map((one, index) => this.resolved(one, [...at, index], depth));
    if (!isRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.resolved(one, [...at, key], depth)]));
  }

  #ofText(text: string, at: Path, depth: number): unknown {
    if (depth > deepest) throw this.#text.refuse(at, `${text} leads to itself`);
    const pieces: unknown[] = [];
    let from = 0;
    for (let start = text.indexOf('${'); start >= 0; start = text.indexOf('${', from)) {
      const end = endOf(text, start);
      if (end < 0) throw this.#text.refuse(at, `${text} has a variable without its end`);
      const inner = String(this.#ofText(text.slice(start + 2, end - 1), at, depth + 1));
      pieces.push(text.slice(from, start), isVariable(inner) ? this.#valueOf(inner, at, depth) : text.slice(start, end));
      from = end;
    }
    if (from === 0) return text;
    const rest = text.slice(from);
    const whole = pieces.length === 2 && pieces[0] === '' && rest === '';
    if (whole) return pieces[1];
    const odd = pieces.find((piece) => typeof piece === 'object' && piece !== null);
    if (odd !== undefined) throw this.#text.refuse(at, `${text} has something in it that is no text`);
    return pieces.map(String).join('') + rest;
  }

  #valueOf(inner: string, at: Path, depth: number): unknown {
    const alternatives = splitAlternatives(inner);
    for (const alternative of alternatives) {
      const found = this.#find(alternative, at, depth);
      if (found.kind === 'value') return found.value;
      if (found.kind === 'unknown')
        throw this.#text.refuse(
          at,
          `\${${inner}} cannot be told here: env, self, opt:stage and sls:stage can; write out what it stands for, or keep it as a secret ("swiftlet secret set")`,
        );
    }
    throw this.#text.refuse(at, `\${${inner}} has no value; set it, or give it another one after a comma`);
  }

  #find(alternative: string, at: Path, depth: number): Found {
    const [literal, single, double, number, truth] = literalPattern.exec(alternative) ?? [];
    if (literal !== undefined) {
      if (number !== undefined) return { kind: 'value', value: Number(number) };
      return { kind: 'value', value: truth === undefined ? (single ?? double ?? null) : truth === 'true' };
    }
    const [, source = '', address = ''] = sourcePattern.exec(alternative) ?? [];
    if (source === 'env') return valueOr(this.#sources.environment[address]);
    if (source === 'self') return this.#own(address, at, depth);
    if ((source === 'sls' || source === 'opt') && address === 'stage') {
      return source === 'opt' ? valueOr(this.#sources.stage) : { kind: 'value', value: this.stage(depth + 1) };
    }
    return source === 'opt' ? { kind: 'nothing' } : { kind: 'unknown' };
  }

  /** Of this file, with its own variables resolved. */
  #own(address: string, at: Path, depth: number): Found {
    if (address === 'provider.stage') return { kind: 'value', value: this.stage(depth + 1) };
    let found: unknown = this.#text.value;
    const path = address === '' ? [] : address.split('.');
    for (const part of path) {
      // What lies on the way may be a variable itself.
      if (typeof found === 'string') found = this.#ofText(found, at, depth + 1);
      if (Array.isArray(found)) found = (found as readonly unknown[])[Number(part)];
      else found = isRecord(found) && Object.hasOwn(found, part) ? found[part] : undefined;
    }
    return found === undefined ? { kind: 'nothing' } : { kind: 'value', value: this.resolved(found, at, depth + 1) };
  }

  /** Which stage is deployed: the one that was asked for, else the file's, else dev. */
  stage(depth = 0): string {
    const { value } = this.#text;
    const provider = isRecord(value) && isRecord(value['provider']) ? value['provider'] : {};
    return (
      this.#sources.stage ??
      (provider['stage'] === undefined ? 'dev' : String(this.resolved(provider['stage'], ['provider', 'stage'], depth)))
    );
  }
}

const valueOr = (value: unknown): Found => (value === undefined ? { kind: 'nothing' } : { kind: 'value', value });

/** What follows its closing brace; -1 when it has none. */
function endOf(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text.startsWith('${', at)) depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return -1;
}

/** Anything else is CloudFormation's: `${AWS::Region}`, `${Table}`. */
const isVariable = (inner: string): boolean => !inner.startsWith('AWS::') && sourcePattern.test(inner);

/** At commas that are in no quotes. */
const splitAlternatives = (inner: string): string[] =>
  (inner.match(/(?:'[^']*'|"[^"]*"|\([^)]*\)|[^,])+/g) ?? []).map((part) => part.trim());
