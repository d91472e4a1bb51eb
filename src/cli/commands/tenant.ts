import { policyText, usualPolicy } from '../../model/network-policy.ts';
import { quotaNames } from '../../model/tenant.ts';
import type { TenantDescribed } from '../../wire/access-answers.ts';
import { describeTenant, listTenants, removeTenant, setTenant } from '../access-calls.ts';
import { connectApi } from '../connect-api.ts';
import { colours } from '../colours.ts';
import { openOutput } from '../output.ts';
import { table } from '../table.ts';
import { settingsOf, type TenantFlags } from '../tenant-flags.ts';

interface JsonFlag {
  readonly json?: boolean;
}

const notPlaced = 'It is not in force everywhere yet: a role is away or slow; GET /healthz of the API says which.';
const bytesPerMiB = 1024 * 1024;

export async function create(name: string, flags: TenantFlags & JsonFlag): Promise<void> {
  const settings = settingsOf(flags, undefined);
  const output = openOutput(flags.json ?? false);
  const made = await output.progress('creating', setTenant(connectApi(process.env), name, settings, true));
  output.result(made, () => `Tenant ${name} is there: its functions are at ${made.functionsUrl}/<function>/.`);
  output.note(`Give somebody a token for it: swiftlet token create <name> --role developer --tenant ${name}`);
  if (!made.placed) output.note(notPlaced);
}

export async function set(name: string, flags: TenantFlags & JsonFlag): Promise<void> {
  const output = openOutput(flags.json ?? false);
  const api = connectApi(process.env);
  const { quotas, cpuWeight, urls, hosts, network } = await describeTenant(api, name);
  const settings = settingsOf(flags, { quotas, cpuWeight, urls, hosts, network });
  const made = await output.progress('setting', setTenant(api, name, settings, false));
  output.result(made, () => `Tenant ${name} is changed.`);
  if (!made.placed) output.note(notPlaced);
}

export async function list({ json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const tenants = await output.progress('listing', listTenants(connectApi(process.env)));
  output.result(tenants, () =>
    table(
      ['TENANT', 'FUNCTIONS AT', 'URLS', 'CREATED'],
      tenants.map(({ name, functionsUrl, urls, createdAt }) => [colours.bold(name), functionsUrl, urls ?? 'as started', createdAt]),
    ),
  );
}

export async function describe(name: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const tenant = await output.progress('asking', describeTenant(connectApi(process.env), name));
  output.result(tenant, () => described(tenant));
}

export async function remove(name: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  await output.progress('removing', removeTenant(connectApi(process.env), name));
  output.result({ removed: name }, () => `Tenant ${name} is removed, with its tokens and artifacts; its name is not given again.`);
}

function described({
  name,
  functionsUrl,
  urls,
  hosts = [],
  network = usualPolicy,
  cpuWeight,
  createdAt,
  quotas,
  use,
}: TenantDescribed): string {
  const used: Readonly<Partial<Record<keyof typeof quotas, string>>> = {
    functions: String(use.functions),
    storageMiB: (use.storageBytes / bytesPerMiB).toFixed(1),
    ...(use.gbSecondsToday === undefined ? {} : { gbSecondsPerDay: use.gbSecondsToday.toFixed(3) }),
  };
  const facts = [
    ['tenant', colours.bold(name)],
    ['functions at', functionsUrl],
    ['urls', urls ?? 'as the platform was started'],
    ['hosts', hosts.join(', ') || 'none of its own'],
    ['network', policyText(network)],
    ['cpu weight', String(cpuWeight)],
    ['created', createdAt],
  ];
  const rows = quotaNames.map((quota) => [quota, String(quotas[quota] ?? 'no limit'), used[quota] ?? '']);
  return `${table([], facts)}\n\n${table(['QUOTA', 'LIMIT', 'USED'], rows)}`;
}
