/** How tenants and tokens are described on the command line. */
import { SwiftletError } from '../model/errors.ts';
import { suggestion } from '../build/closest.ts';
import { type Quotas, quotaNames, quotasSchema, type TenantSettings, tenantSettingsSchema } from '../model/tenant.ts';

export interface TenantFlags {
  /** Each like `functions=20`, or `functions=none`. */
  readonly quota: readonly string[];
  readonly cpuWeight?: string;
  readonly urls?: string;
  /** Patterns of hosts; `none` alone takes all away. */
  readonly host?: readonly string[];
  readonly network?: string;
}

/** What a tenant is to be like. @param before what is said nothing about stays so @throws SwiftletError BadRequest */
export function settingsOf(
  { quota, cpuWeight, urls, host = [], network }: TenantFlags,
  before: TenantSettings | undefined,
): TenantSettings {
  const quotas = quota.reduce<Quotas>((all, word) => withQuota(all, word), before?.quotas ?? {});
  const wish = {
    quotas,
    cpuWeight: cpuWeight === undefined ? before?.cpuWeight : Number(cpuWeight),
    urls: urls ?? before?.urls,
    ...hostsOf(host, before),
    network: network === undefined ? before?.network : policyOf(network),
  };
  const parsed = tenantSettingsSchema.safeParse(wish);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SwiftletError('BadRequest', `${issue?.path.join('.') ?? 'the tenant'}: ${issue?.message ?? 'is not valid'}`);
}

const hostsOf = (host: readonly string[], before: TenantSettings | undefined): Pick<TenantSettings, 'hosts'> => {
  if (host.length > 0) return { hosts: host.filter((pattern) => pattern !== 'none') };
  return before?.hosts === undefined ? {} : { hosts: before.hosts };
};

/** `none`, `internet`, or lists as JSON. */
function policyOf(text: string): unknown {
  if (!text.startsWith('{')) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new SwiftletError('BadRequest', `--network: "${text}" is no JSON; write none, internet, or {"allow":["api.example.com:443"]}`);
  }
}

function withQuota(quotas: Quotas, word: string): Quotas {
  const [name = '', value = ''] = word.split('=', 2);
  const known = quotasSchema.keyof().safeParse(name);
  if (!known.success) throw new SwiftletError('BadRequest', `--quota: there is no quota "${name}"${suggestion(name, quotaNames)}`);
  if (value === 'none') return Object.fromEntries(Object.entries(quotas).filter(([other]) => other !== name));
  if (!/^\d{1,15}$/.test(value))
    throw new SwiftletError('BadRequest', `--quota: "${word}" is no quota; write ${name}=20, or ${name}=none for no limit`);
  return { ...quotas, [known.data]: Number(value) };
}

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30d`, `12h`, `90m` from now on. @param nowMs since 1970 @throws SwiftletError BadRequest */
export const expiryOf = (text: string, nowMs: number): string => new Date(nowMs + timeOf(text, '--expires')).toISOString();

/** `30d`, `12h`, `90m` in milliseconds. @param flag for the message @throws SwiftletError BadRequest */
export function timeOf(text: string, flag: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const each = unitsMs[unit];
  if (each === undefined || Number(count) === 0)
    throw new SwiftletError('BadRequest', `${flag}: "${text}" is no time from now; write 30d, 12h or 90m`);
  return Number(count) * each;
}
