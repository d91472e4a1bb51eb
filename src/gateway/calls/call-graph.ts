/** Who calls whom, counted since this process began. */
import { Counter, Registry } from 'prom-client';
import type { FunctionCalls } from '../../wire/gateway-calls.ts';
import { functionKey } from '../../wire/published-state.ts';

type Edge = FunctionCalls['calls'][number];

interface Caller {
  readonly tenant: string;
  readonly function: string;
}

/** A function's grants may change with each deploy: what is beyond this is counted together. */
const maxEdges = 512;
const elsewhere = '(others)';
/** Of calls that were not granted; what a function asks for then may be any text. */
const notGranted = '(not granted)';

export class CallGraph {
  readonly #registry = new Registry();
  /** By the callers' keys, then by what tells the edge from others. */
  readonly #callers = new Map<string, { readonly caller: Caller; readonly edges: Map<string, Edge> }>();
  readonly #sinceMs: number;

  /** @param sinceMs when the counting began, in milliseconds since 1970 */
  constructor(sinceMs: number) {
    this.#sinceMs = sinceMs;
    const callers = this.#callers;
    new Counter({
      name: 'swiftlet_function_calls_total',
      help: 'Calls of one function by another, by outcome: ok or an error code',
      labelNames: ['tenant', 'function', 'callee', 'kind', 'outcome'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { caller, edges } of callers.values())
          for (const { callee, kind, outcome, count } of edges.values())
            this.inc({ tenant: caller.tenant, function: caller.function, callee, kind, outcome }, count);
      },
    });
  }

  /** @param outcome `ok` or an error code */
  count({ tenant, function: name }: Caller, wanted: string, isAsync: boolean, outcome: string): void {
    const key = functionKey(tenant, name);
    const known = this.#callers.get(key) ?? { caller: { tenant, function: name }, edges: new Map<string, Edge>() };
    this.#callers.set(key, known);
    const callee = outcome === 'CallForbidden' ? notGranted : wanted;
    const edgeKey = `${callee} ${String(isAsync)} ${outcome}`;
    const place = known.edges.has(edgeKey) || known.edges.size < maxEdges ? edgeKey : `${elsewhere} ${String(isAsync)} ${outcome}`;
    const told = place === edgeKey ? callee : elsewhere;
    const edge = known.edges.get(place) ?? { caller: name, callee: told, kind: isAsync ? 'async' : 'sync', outcome, count: 0 };
    known.edges.set(place, { ...edge, count: edge.count + 1 });
  }

  /** Calls that a function made, and that were made of it. */
  of(tenant: string, name: string): FunctionCalls {
    const edges = [...this.#callers.values()]
      .filter(({ caller }) => caller.tenant === tenant)
      .flatMap((known) => [...known.edges.values()])
      .filter(({ caller, callee }) => caller === name || callee === name);
    return { since: new Date(this.#sinceMs).toISOString(), calls: edges };
  }

  /** Functions that are gone take along what they called. */
  forgetAllBut(functions: ReadonlyMap<string, unknown>): void {
    for (const key of this.#callers.keys()) if (!functions.has(key)) this.#callers.delete(key);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
