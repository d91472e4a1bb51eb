/**
 * Which of many paths a request's path is. A step for each part of the path, however many paths there are: text before a parameter, a
 * parameter before what stands for all the rest, and back where that leads nowhere. Budget: 0.1 µs a part, nothing allocated.
 */
import { anyMethod, type RouteSegment } from '../../model/http-route.ts';

/** What there is by one path, a method each. A path has few: a map for each of a hundred thousand paths would be most of the tree. */
interface Ends<T> {
  readonly method: string;
  value: T;
  next: Ends<T> | undefined;
}

interface Node<T> {
  texts: Map<string, Node<T>> | undefined;
  parameter: Node<T> | undefined;
  /** Of paths that end here. */
  here: Ends<T> | undefined;
  /** Of paths that end with all that is below. */
  below: Ends<T> | undefined;
}

const emptyNode = <T>(): Node<T> => ({ texts: undefined, parameter: undefined, here: undefined, below: undefined });

/** Of one host, or of one tenant. */
export class RouteTree<T> {
  readonly #root = emptyNode<T>();
  #size = 0;
  // What is being looked for, and where its parameters were found: fields, since there is one for every request.
  #path = '';
  #end = 0;
  #method = '';
  #count = 0;
  readonly #bounds: number[] = [];
  #otherMethods: Ends<T> | undefined;

  get size(): number {
    return this.#size;
  }

  /** Takes the place of what is there by the same path and method. */
  add(segments: readonly RouteSegment[], method: string, value: T): void {
    let node = this.#root;
    let end: 'here' | 'below' = 'here';
    for (const segment of segments) {
      if (segment.kind === 'rest') end = 'below';
      else node = segment.kind === 'parameter' ? (node.parameter ??= emptyNode()) : textOf(node, segment.text);
    }
    const known = endOf(node[end], method);
    if (known !== undefined) {
      known.value = value;
      return;
    }
    node[end] = withEnd(node[end], { method, value, next: undefined });
    this.#size += 1;
  }

  /** Takes out what is there by a path and a method, if it is one of those that are meant, with what only led to it. */
  remove(segments: readonly RouteSegment[], method: string, isMeant: (value: T) => boolean): void {
    if (removeBelow(this.#root, segments, 0, method, isMeant)) this.#size -= 1;
  }

  /**
   * @param path in its canonical form; from `from`, where a `/` stands, to `end`
   * @returns what is there by this path and method; `parametersOf` and `otherMethods` tell of this search until the next one
   */
  find(path: string, from: number, end: number, method: string): T | undefined {
    this.#path = path;
    this.#end = end;
    this.#method = method;
    this.#count = 0;
    this.#otherMethods = undefined;
    return this.#below(this.#root, from, 0);
  }

  /** The values of the parameters that were found, as they stand in the path, in its order. */
  parameters(): string[] {
    const values: string[] = [];
    for (let at = 0; at < 2 * this.#count; at += 2) values.push(this.#path.slice(this.#bounds[at], this.#bounds[at + 1]));
    return values;
  }

  /** The methods for which there is something by this path, when there is nothing for the one that was asked for. */
  otherMethods(): string[] {
    const methods: string[] = [];
    for (let end = this.#otherMethods; end !== undefined; end = end.next) methods.push(end.method);
    return methods;
  }

  /** @param at the `/` before the next part, or the end @param found parameters before it */
  #below(node: Node<T>, at: number, found: number): T | undefined {
    const from = at + 1;
    // The / at its end is no part.
    if (from >= this.#end) return this.#valueIn(node.here, found);
    const next = this.#path.indexOf('/', from);
    const to = next < 0 || next > this.#end ? this.#end : next;
    const byText = node.texts?.get(this.#path.slice(from, to));
    const value = byText === undefined ? undefined : this.#below(byText, to, found);
    if (value !== undefined) return value;
    if (node.parameter !== undefined) {
      this.#note(found, from, to);
      const byParameter = this.#below(node.parameter, to, found + 1);
      if (byParameter !== undefined) return byParameter;
    }
    if (node.below === undefined) return undefined;
    this.#note(found, from, this.#end);
    return this.#valueIn(node.below, found + 1);
  }

  #note(found: number, from: number, to: number): void {
    this.#bounds[2 * found] = from;
    this.#bounds[2 * found + 1] = to;
  }

  /** What answers GET answers HEAD, too. */
  #valueIn(ends: Ends<T> | undefined, found: number): T | undefined {
    if (ends === undefined) return undefined;
    const end = endOf(ends, this.#method) ?? (this.#method === 'HEAD' ? endOf(ends, 'GET') : undefined) ?? endOf(ends, anyMethod);
    if (end === undefined) this.#otherMethods ??= ends;
    else this.#count = found;
    return end?.value;
  }
}

function endOf<T>(ends: Ends<T> | undefined, method: string): Ends<T> | undefined {
  for (let end = ends; end !== undefined; end = end.next) if (end.method === method) return end;
  return undefined;
}

/** @returns the ends with one more behind them */
function withEnd<T>(ends: Ends<T> | undefined, more: Ends<T>): Ends<T> {
  if (ends === undefined) return more;
  let last = ends;
  while (last.next !== undefined) last = last.next;
  last.next = more;
  return ends;
}

/** @returns the ends without the one for this method */
function withoutEnd<T>(ends: Ends<T> | undefined, method: string): Ends<T> | undefined {
  if (ends?.method === method) return ends.next;
  for (let end = ends; end !== undefined; end = end.next) if (end.next?.method === method) end.next = end.next.next;
  return ends;
}

function textOf<T>(node: Node<T>, text: string): Node<T> {
  node.texts ??= new Map();
  const known = node.texts.get(text);
  if (known !== undefined) return known;
  const made = emptyNode<T>();
  node.texts.set(text, made);
  return made;
}

/** @returns whether it was there */
function removeBelow<T>(
  node: Node<T>,
  segments: readonly RouteSegment[],
  at: number,
  method: string,
  isMeant: (value: T) => boolean,
): boolean {
  const segment = segments[at];
  if (segment === undefined || segment.kind === 'rest') {
    const kind = segment === undefined ? 'here' : 'below';
    const end = endOf(node[kind], method);
    if (end === undefined || !isMeant(end.value)) return false;
    node[kind] = withoutEnd(node[kind], method);
    return true;
  }
  const next = segment.kind === 'parameter' ? node.parameter : node.texts?.get(segment.text);
  if (next === undefined || !removeBelow(next, segments, at + 1, method, isMeant)) return false;
  if (isEmpty(next)) {
    if (segment.kind === 'parameter') node.parameter = undefined;
    else node.texts?.delete(segment.text);
    if (node.texts?.size === 0) node.texts = undefined;
  }
  return true;
}

const isEmpty = <T>({ texts, parameter, here, below }: Node<T>): boolean =>
  texts === undefined && parameter === undefined && here === undefined && below === undefined;
