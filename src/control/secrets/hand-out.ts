/** Gives a role the secrets that it needs for functions, before it needs them: a cold start waits for nobody. */
import type { Logger } from 'pino';
import type { CallClient } from '../../wire/calls.ts';
import type { PublishedFunction } from '../../wire/published-state.ts';
import { secretKey, type SecretsNotice } from '../../wire/secret-calls.ts';
import type { Store } from '../store.ts';
import type { Secrets } from './secrets.ts';
import { type Needed, referencesAfter, type References, referencesOf, type SecretName, toForget, wantedSecrets } from './told.ts';

/** Values in one message: at most so many of the largest fit well into it. */
const atOnce = 200;
const answerLimitMs = 5_000;
const againMs = 1_000;

export interface HandOutMeans {
  readonly secrets: Secrets;
  readonly store: Pick<Store, 'watch' | 'snapshot'>;
  /** Who gets them, by its own socket. */
  readonly to: Pick<CallClient, 'connected' | 'ask'>;
  readonly needed: Needed;
  readonly log: Logger;
}

export class HandOut implements AsyncDisposable {
  readonly #means: HandOutMeans;
  readonly #watching: readonly Disposable[];
  #references: References;
  /** Numbers of what the role has, by key. */
  #told = new Map<string, number>();
  #isFirst = true;
  #last: Promise<void> = Promise.resolve();
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(means: HandOutMeans, functions: readonly PublishedFunction[]) {
    this.#means = means;
    this.#references = new Map(functions.map((one) => [`${one.tenant}/${one.name}`, referencesOf(one, means.needed)]));
    this.#watching = [
      means.store.watch((change) => {
        this.#references = referencesAfter(this.#references, change, means.needed);
        void this.tell();
      }),
      means.secrets.watch(() => this.tell()),
    ];
  }

  /** Hands out from now on, until disposed. */
  static async open(means: HandOutMeans): Promise<HandOut> {
    return new HandOut(means, (await means.store.snapshot()).functions);
  }

  /** The role has connected: it may be another process, which knows nothing. */
  greeted(): void {
    this.#told = new Map();
    this.#isFirst = true;
    void this.tell();
  }

  /** Tells the role what it lacks. Resolves when it has it, or cannot be told: then it is when it comes back. Never rejects. */
  tell(): Promise<void> {
    this.#last = this.#last.then(() =>
      this.#tell().catch((error: unknown) => {
        this.#means.log.warn({ err: error }, 'a role could not be given its secrets; it is tried again');
        clearTimeout(this.#again);
        if (!this.#isClosed) this.#again = setTimeout(() => void this.tell(), againMs);
      }),
    );
    return this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#again);
    for (const watching of this.#watching) watching[Symbol.dispose]();
    await this.#last;
  }

  async #tell(): Promise<void> {
    const { to } = this.#means;
    if (this.#isClosed || !to.connected) return;
    const wanted = wantedSecrets(this.#references);
    const told = this.#told;
    const drop = toForget(told, wanted);
    const put = await this.#lacking(wanted, told);
    for (let from = 0; from < Math.max(1, put.length); from += atOnce) {
      const part = put.slice(from, from + atOnce);
      const message: SecretsNotice = { isFirst: this.#isFirst, put: part, drop: from === 0 ? drop.map(nameOf) : [] };
      if (!message.isFirst && part.length === 0 && message.drop.length === 0) return;
      await to.ask('secrets', message, answerLimitMs);
      // Who came meanwhile has not heard this.
      if (told !== this.#told) return;
      this.#isFirst = false;
      for (const key of drop) told.delete(key);
      for (const { tenant, name, version } of part) told.set(secretKey(tenant, name), version);
    }
  }

  async #lacking(wanted: ReadonlyMap<string, SecretName>, told: ReadonlyMap<string, number>): Promise<SecretsNotice['put']> {
    const { secrets, log } = this.#means;
    const put: SecretsNotice['put'] = [];
    for (const [key, { tenant, name }] of wanted) {
      const version = await secrets.version(tenant, name);
      if (version === undefined || told.get(key) === version) continue;
      try {
        const found = await secrets.reveal(tenant, name);
        if (found !== undefined) put.push({ tenant, name, ...found });
      } catch (error) {
        // The others' functions are not to suffer from it.
        log.error(
          { err: error, tenant, secret: name },
          'a secret cannot be read; functions that refer to it do not start, nor do their sources',
        );
      }
    }
    return put;
  }
}

function nameOf(key: string): SecretName {
  const [tenant = '', name = ''] = key.split('/');
  return { tenant, name };
}
