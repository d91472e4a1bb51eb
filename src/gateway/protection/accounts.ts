import { accountOf } from '../../model/account.ts';

/** Tenants by their accounts, counted once for each set of tenants. */
export class Accounts {
  #tenants: ReadonlyMap<string, unknown> = new Map();
  #byAccount: ReadonlyMap<string, string> = new Map();

  tenantOf(account: string, tenants: ReadonlyMap<string, unknown>): string | undefined {
    if (tenants !== this.#tenants) {
      this.#tenants = tenants;
      this.#byAccount = new Map([...tenants.keys()].map((tenant) => [accountOf(tenant), tenant]));
    }
    return this.#byAccount.get(account);
  }
}
