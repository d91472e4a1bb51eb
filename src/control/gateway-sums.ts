/** What several gateways counted, added up. Pure. */
import type { FunctionCalls, VersionCounts, Watched } from '../wire/gateway-calls.ts';

/** Counts of the same watch; nothing is known of it until all of them count for it. */
export function addWatched(all: readonly Watched[]): Watched | undefined {
  const [first] = all;
  if (first === undefined) return undefined;
  if (all.some(({ watch }) => watch !== first.watch)) return { versions: [] };
  const versions = new Map<number, VersionCounts>();
  for (const counts of all.flatMap((one) => one.versions)) {
    const known = versions.get(counts.version);
    versions.set(counts.version, known === undefined ? counts : addCounts(known, counts));
  }
  return { watch: first.watch, versions: [...versions.values()] };
}

const addCounts = (one: VersionCounts, other: VersionCounts): VersionCounts => ({
  version: one.version,
  requests: one.requests + other.requests,
  errors: one.errors + other.errors,
  times: one.times.map((count, at) => count + (other.times[at] ?? 0)),
});

/** `since` is when the first of them began to count. */
export function addCalls(all: readonly FunctionCalls[]): FunctionCalls {
  const [since = new Date(0).toISOString()] = all.map((one) => one.since).toSorted();
  const calls = new Map<string, FunctionCalls['calls'][number]>();
  for (const call of all.flatMap((one) => one.calls)) {
    const key = JSON.stringify([call.caller, call.callee, call.kind, call.outcome]);
    calls.set(key, { ...call, count: call.count + (calls.get(key)?.count ?? 0) });
  }
  return { since, calls: [...calls.values()] };
}

const about = '# HELP ';

/** Labels stand between the braces, and names have none. @param label as it is written */
function labelled(sample: string, label: string): string {
  const at = sample.search(/[{ ]/);
  const [name, rest] = [sample.slice(0, at), sample.slice(at)];
  return rest.startsWith('{') ? `${name}{${label},${rest.slice(1)}` : `${name}{${label}}${rest}`;
}

/**
 * One text of several in Prometheus' format, with all samples of a metric together, as the format wants them, and each with its gateway's number.
 * @param texts by their gateways' numbers, or those of others
 * @param role whose the numbers are
 */
export function joinMetrics(texts: ReadonlyMap<number, string>, role: 'gateway' | 'agent' = 'gateway'): string {
  const metrics = new Map<string, { readonly head: Set<string>; readonly samples: string[] }>();
  for (const [number, text] of texts) {
    const label = `${role}="${number}"`;
    let metric = { head: new Set<string>(), samples: new Array<string>() };
    for (const line of text.split('\n').filter(Boolean)) {
      if (line.startsWith(about)) {
        const name = line.slice(about.length, line.indexOf(' ', about.length));
        metric = metrics.get(name) ?? { head: new Set(), samples: [] };
        metrics.set(name, metric);
      }
      if (line.startsWith('#')) metric.head.add(line);
      else metric.samples.push(labelled(line, label));
    }
  }
  return [...metrics.values()].flatMap(({ head, samples }) => [...head, ...samples]).join('\n');
}
