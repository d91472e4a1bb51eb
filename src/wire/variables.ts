/**
 * The variables of functions that the platform itself needs: what signs their webhooks, opens their brokers, and what their callers sign with. Those of the environment come
 * with the state; those that are secrets come from control alone, for the functions whose sources, destinations and addresses name them, and are in
 * memory only.
 */
import { secretOf } from '../model/event-secrets.ts';
import type { Version } from '../model/function.ts';
import { secretKey, type SecretsNotice } from './secret-calls.ts';

export type Variable =
  | { readonly kind: 'known'; readonly value: string }
  /** A secret that control has not told yet: after a start of this role while control is away. */
  | { readonly kind: 'awaited'; readonly secret: string }
  | { readonly kind: 'none' };

type Having = Pick<Version, 'tenant'> & { readonly config: Pick<Version['config'], 'environment' | 'secrets'> };

export class Variables {
  readonly #secrets = new Map<string, string>();

  take({ isFirst, put, drop }: SecretsNotice): void {
    if (isFirst) this.#secrets.clear();
    for (const { tenant, name } of drop) this.#secrets.delete(secretKey(tenant, name));
    for (const { tenant, name, value } of put) this.#secrets.set(secretKey(tenant, name), value);
  }

  /** @param version undefined: nothing of this name is served */
  of(version: Having | undefined, variable: string): Variable {
    if (version === undefined) return none;
    const { tenant, config } = version;
    const secret = secretOf(config, variable);
    if (secret !== undefined) {
      const value = this.#secrets.get(secretKey(tenant, secret));
      return value === undefined ? { kind: 'awaited', secret } : { kind: 'known', value };
    }
    const value = config.environment[variable];
    return value === undefined || value === '' ? none : { kind: 'known', value };
  }
}

const none: Variable = { kind: 'none' };

/** For whoever can wait for control no longer, or has to say what he waits for. */
export const missingVariable = (found: Exclude<Variable, { kind: 'known' }>, variable: string, name: string): string =>
  found.kind === 'awaited'
    ? `the secret "${found.secret}", which the variable ${variable} of "${name}" has, is not here yet; control is away, or cannot read it: its log says why`
    : `the variable ${variable}, which has its secret, is neither in the environment nor among the secrets of "${name}"`;
