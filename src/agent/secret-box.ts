/** The secrets of this host's functions, in memory and nowhere else: control gives them, starts take them. */
import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import { secretNames } from '../model/secret.ts';
import { secretKey, type SecretsNotice } from '../wire/secret-calls.ts';
import type { InitSecret } from '../wire/instance-protocol.ts';

/** What an instance is started with. */
export interface StartSecrets {
  readonly secrets: readonly InitSecret[];
  /** Which values these are: another stamp means that at least one has been rotated. It tells nothing of them. */
  readonly stamp: string;
}

type Needs = Pick<Version, 'tenant' | 'function'> & { readonly config: Pick<Version['config'], 'secrets'> };

/** An agent may know of a version some ms before it has its secrets, and after a restart longer. */
const waitLimitMs = 5_000;
const none: StartSecrets = { secrets: [], stamp: '' };

export class SecretBox {
  readonly #values = new Map<string, { readonly version: number; readonly value: string }>();
  readonly #waiting = new Set<() => void>();
  /** Stamps by what they are of, until something changes. */
  #stamps = new WeakMap<object, string>();

  take({ isFirst, put, drop }: SecretsNotice): void {
    this.#stamps = new WeakMap();
    if (isFirst) this.#values.clear();
    for (const { tenant, name } of drop) this.#values.delete(secretKey(tenant, name));
    for (const { tenant, name, version, value } of put) this.#values.set(secretKey(tenant, name), { version, value });
    for (const look of [...this.#waiting]) look();
  }

  /** Which values a version would be started with now; undefined while one is not here. Asked for each instance, again and again. */
  stampOf({ tenant, config: { secrets } }: Needs): string | undefined {
    const known = this.#stamps.get(secrets);
    if (known !== undefined) return known;
    const parts: string[] = [];
    for (const name of secretNames(secrets)) {
      const found = this.#values.get(secretKey(tenant, name));
      if (found === undefined) return undefined;
      parts.push(`${name}=${found.version}`);
    }
    const stamp = parts.join(',');
    this.#stamps.set(secrets, stamp);
    return stamp;
  }

  /** What a version is started with; at once when all of it is here. @throws SwiftletError Unavailable when it does not come in time */
  for(version: Needs): StartSecrets | Promise<StartSecrets> {
    if (Object.keys(version.config.secrets).length === 0) return none;
    return this.#find(version) ?? this.#wait(version);
  }

  #find(version: Needs): StartSecrets | undefined {
    const stamp = this.stampOf(version);
    if (stamp === undefined) return undefined;
    const secrets = Object.entries(version.config.secrets).map(([variable, { secret, as }]) => ({
      variable,
      as,
      value: this.#values.get(secretKey(version.tenant, secret))?.value ?? '',
    }));
    return { secrets, stamp };
  }

  #wait(version: Needs): Promise<StartSecrets> {
    const { promise, resolve, reject } = Promise.withResolvers<StartSecrets>();
    const look = () => {
      const found = this.#find(version);
      if (found !== undefined) resolve(found);
    };
    const late = setTimeout(() => {
      const names = secretNames(version.config.secrets).filter((name) => !this.#values.has(secretKey(version.tenant, name)));
      const what = names.map((name) => `"${name}"`).join(', ');
      reject(
        new SwiftletError(
          'Unavailable',
          `function "${version.function}" cannot start: its secret ${what} is not on this host yet; control is away, or cannot read it: its log says why`,
        ),
      );
    }, waitLimitMs);
    this.#waiting.add(look);
    return promise.finally(() => {
      clearTimeout(late);
      this.#waiting.delete(look);
    });
  }
}
