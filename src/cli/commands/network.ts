import { connectApi } from '../connect-api.ts';
import { colours } from '../colours.ts';
import { createNetwork, describeNetwork, type DescribedNetwork, listNetworks, removeNetwork } from '../network-calls.ts';
import { openOutput } from '../output.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';

interface JsonFlag {
  readonly json?: boolean;
}
export interface CreateFlags extends JsonFlag {
  readonly range: readonly string[];
  readonly proxy: readonly string[];
}

export async function create(name: string, { json = false, range, proxy }: CreateFlags): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  await output.progress('making', createNetwork(api, name, { ranges: range, proxies: proxy }));
  const network = await output.progress('asking', describeNetwork(api, name));
  output.result(network, () =>
    [
      `The private network ${name} is made. Start its proxies:`,
      '',
      ...proxyCommands(network),
      '',
      `A function gets it by its manifest: network: { private: [${name}] }`,
    ].join('\n'),
  );
}

export async function list({ json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const networks = await output.progress('listing', listNetworks(connectApi(process.env)));
  output.result(networks, () => {
    if (networks.length === 0)
      return 'No private networks. Make one: swiftlet network create <name> --range 10.20.0.0/16 --proxy <address> --proxy <address>';
    const rows = networks.map(({ name, ranges, proxies, functions }) => [
      colours.bold(name),
      ranges.join(', '),
      proxies.join(', '),
      functions.join(', '),
    ]);
    return table(['NETWORK', 'RANGES', 'PROXIES', 'USED BY'], rows);
  });
}

export async function describe(name: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const network = await output.progress('asking', describeNetwork(connectApi(process.env), name));
  output.result(network, () => description(network));
}

export async function remove(name: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  await output.progress('removing', removeNetwork(connectApi(process.env), name));
  output.result({ removed: name }, () => `The private network ${name} is removed. Its proxies can be stopped.`);
}

function description(network: DescribedNetwork): string {
  const { name, ranges, functions, createdAt, state } = network;
  const facts = [
    ['network', colours.bold(name)],
    ['ranges', ranges.join(', ')],
    ['made', createdAt],
    ['used by', functions.join(', ') || 'no function'],
    ['state', state?.state ?? 'not known: the agent is away, or functions have no network here'],
    ...(state?.detail === undefined ? [] : [['', printable(state.detail)]]),
  ];
  return [table(['', ''], facts), proxiesTable(network), ['Proxies are started by:', ...proxyCommands(network)].join('\n')].join('\n\n');
}

function proxiesTable({ proxies, tunnels, state }: DescribedNetwork): string {
  const rows = proxies.map((address, place) => {
    const told = state?.proxies[place];
    const counts = told?.counts;
    return [
      address,
      String(tunnels[place] ?? ''),
      told?.health ?? 'unknown',
      told?.isActive === true ? 'active' : 'standby',
      counts === undefined ? '' : `${counts.connections} opened, ${kibibytes(counts.sentBytes)} out, ${kibibytes(counts.receivedBytes)} in`,
    ];
  });
  return table(['PROXY', 'TUNNEL', 'HEALTH', '', 'CONNECTIONS'], rows);
}

const kibibytes = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;

const proxyCommands = ({ proxies, tunnels, state }: DescribedNetwork): string[] =>
  proxies.map((address, place) => {
    const platform = state?.proxies[place]?.platform ?? '<address of the platform’s host>';
    return `  on ${address}:  swiftlet proxy --tunnel ${tunnels[place] ?? ''} --platform ${platform}`;
  });
