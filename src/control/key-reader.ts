/** Reads issuers' public keys, again and again, and has them published. Control alone asks the issuers; gateways verify with what it read. */
import type { Logger } from 'pino';
import { z } from 'zod';
import { type KeySource, keySourceId } from '../model/url-auth.ts';

/** Keys are read again after so long, and sooner when one is missing. */
const everyMs = 5 * 60_000;
/** When they could not be read. */
const againMs = 10_000;
const requestLimitMs = 5_000;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });
const keysSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(100) });
export type Keys = z.output<typeof keysSchema>['keys'];

export interface KeyReaderMeans {
  /** @throws Error when there is no JSON, or too much of it */
  readonly readJson: (url: string, signal: AbortSignal) => Promise<unknown>;
  /** Has them published, by the sources' ids; those whose keys were never read are left out. */
  readonly publish: (keys: ReadonlyMap<string, Keys>) => void;
  readonly log: Pick<Logger, 'warn'>;
}

export class KeyReader implements AsyncDisposable {
  readonly #means: KeyReaderMeans;
  #sources: ReadonlyMap<string, KeySource> = new Map();
  readonly #keys = new Map<string, Keys>();
  readonly #reading = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #ended = new AbortController();

  constructor(means: KeyReaderMeans) {
    this.#means = means;
  }

  /** Reads the keys of these from now on, and of no others; of those that are new at once. */
  want(sources: readonly KeySource[]): void {
    const before = this.#sources;
    this.#sources = new Map(sources.map((source) => [keySourceId(source), source]));
    for (const id of before.keys()) if (!this.#sources.has(id)) this.#forget(id);
    for (const id of this.#sources.keys()) if (!before.has(id)) this.refresh(id);
  }

  /** Reads a source's keys now, unless that is under way. */
  refresh(id: string): void {
    const source = this.#sources.get(id);
    if (source === undefined || this.#ended.signal.aborted || this.#reading.has(id)) return;
    clearTimeout(this.#timers.get(id));
    const reading = this.#read(id, source)
      .then(
        () => everyMs,
        (error: unknown) => {
          // What was read before goes on to count.
          if (!this.#ended.signal.aborted)
            this.#means.log.warn({ err: error, issuer: source.issuer }, 'the keys of an issuer could not be read');
          return againMs;
        },
      )
      .then((afterMs) => {
        this.#reading.delete(id);
        if (this.#ended.signal.aborted || !this.#sources.has(id)) return;
        this.#timers.set(
          id,
          setTimeout(() => this.refresh(id), afterMs),
        );
      });
    this.#reading.set(id, reading);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#reading.values());
  }

  #forget(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    if (this.#keys.delete(id)) this.#means.publish(this.#keys);
  }

  async #read(id: string, source: KeySource): Promise<void> {
    const { keys } = keysSchema.parse(await this.#json(source.jwksUri ?? (await this.#discover(source.issuer))));
    if (!this.#sources.has(id)) return;
    this.#keys.set(id, keys);
    this.#means.publish(this.#keys);
  }

  /** OpenID Connect Discovery 1.0, section 4. */
  async #discover(issuer: string): Promise<string> {
    const found = discoverySchema.parse(await this.#json(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`));
    if (found.issuer !== issuer) throw new Error(`the document of ${issuer} is of ${found.issuer}`);
    return found.jwks_uri;
  }

  #json(url: string): Promise<unknown> {
    return this.#means.readJson(url, AbortSignal.any([this.#ended.signal, AbortSignal.timeout(requestLimitMs)]));
  }
}
