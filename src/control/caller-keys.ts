/** Whose tokens functions let in at their addresses: control reads those issuers' keys, and tells gateways. */
import { networkInterfaces } from 'node:os';
import type { Logger } from 'pino';
import { maxKeySources } from '../model/limits.ts';
import { type KeySource, keySourceId } from '../model/url-auth.ts';
import { addressPolicy } from '../role/address-policy.ts';
import type { CallerKeysNotice } from '../wire/gateway-calls.ts';
import type { PublishedState } from '../wire/published-state.ts';
import { KeyReader } from './key-reader.ts';
import { guardedReadJson } from './read-json.ts';

export interface CallerKeysMeans {
  readonly state: () => Pick<PublishedState, 'functions'>;
  /** Calls the listener after every change of what is published, until disposed. */
  readonly watch: (changed: () => void) => Disposable;
  readonly tell: (keys: CallerKeysNotice) => void;
  /** Ranges of addresses that may be asked although they are not public. */
  readonly allowed: readonly string[];
  readonly log: Pick<Logger, 'warn'>;
}

/** Reads and tells until disposed. */
export function keepCallerKeys({ state, watch, tell, allowed, log }: CallerKeysMeans): KeyReader {
  let functions: PublishedState['functions'] | undefined;
  const reader = new KeyReader({
    readJson: guardedReadJson(addressPolicy(allowed, ownAddresses)),
    publish: (keys) => tell({ sources: [...sourcesOf(state())].flatMap(([id, { issuer }]) => setOf(id, issuer, keys.get(id))) }),
    log,
  });
  const follow = () => {
    const { functions: now } = state();
    if (now === functions) return;
    functions = now;
    const all = [...sourcesOf(state()).values()];
    if (all.length > maxKeySources) log.warn({ sources: all.length }, `the keys of the first ${maxKeySources} issuers are read only`);
    reader.want(all.slice(0, maxKeySources));
  };
  const watching = watch(follow);
  follow();
  const dispose = reader[Symbol.asyncDispose].bind(reader);
  return Object.assign(reader, {
    [Symbol.asyncDispose]: () => {
      watching[Symbol.dispose]();
      return dispose();
    },
  });
}

const setOf = (id: string, issuer: string, keys: CallerKeysNotice['sources'][number]['keys'] | undefined): CallerKeysNotice['sources'] =>
  keys === undefined ? [] : [{ id, issuer, keys }];

function sourcesOf({ functions }: Pick<PublishedState, 'functions'>): Map<string, KeySource> {
  const sources = new Map<string, KeySource>();
  for (const { config } of functions.values())
    if (typeof config.url === 'object' && config.url.kind === 'jwt') sources.set(keySourceId(config.url), config.url);
  return sources;
}

const ownAddresses = (): string[] => Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address));
