import { join } from 'node:path';
import { cacheFolder } from '../../role/home.ts';
import { connectApi } from '../connect-api.ts';
import { colours, errorColours } from '../colours.ts';
import { type Deployed, deployFolder } from '../deploy.ts';
import { messageOf } from '../failure.ts';
import { isolationTable } from '../isolation-table.ts';
import { openOutput, type Output } from '../output.ts';
import { exampleNames, templateFolder } from '../templates.ts';
import { tryUserNetwork } from '../../agent/network/user/try-user-network.ts';
import { enterUserNamespace } from '../up/user-namespace.ts';
import { type UpOptions, upOptions } from '../up/options.ts';
import { type Platform, startPlatform } from '../up/platform.ts';

export interface UpFlags {
  readonly isolation?: string;
  readonly gatewayPort?: string;
  readonly gateways?: string;
  readonly agents?: string;
  readonly apiPort?: string;
  readonly lambdaPort?: string;
  readonly host?: string;
  readonly poolSize?: string;
  readonly memoryBudget?: string;
  readonly swap?: string;
  readonly urls?: string;
  readonly issuers?: string;
  readonly labels?: string;
  readonly eventLog?: string;
  readonly grace?: string;
  readonly networkMode?: string;
  readonly egressAllow?: string;
  readonly deployExamples?: boolean;
  readonly json?: boolean;
}

const variables = {
  isolation: 'SWIFTLET_ISOLATION',
  gatewayPort: 'SWIFTLET_GATEWAY_PORT',
  gateways: 'SWIFTLET_GATEWAYS',
  agents: 'SWIFTLET_AGENTS',
  apiPort: 'SWIFTLET_API_PORT',
  lambdaPort: 'SWIFTLET_LAMBDA_PORT',
  host: 'SWIFTLET_HOST',
  poolSize: 'SWIFTLET_POOL_SIZE',
  memoryBudget: 'SWIFTLET_MEMORY_BUDGET',
  swap: 'SWIFTLET_SWAP',
  urls: 'SWIFTLET_URLS',
  issuers: 'SWIFTLET_ISSUERS',
  labels: 'SWIFTLET_LABELS',
  eventLog: 'SWIFTLET_EVENT_LOG',
  grace: 'SWIFTLET_GRACE_MS',
  networkMode: 'SWIFTLET_NETWORK_MODE',
  egressAllow: 'SWIFTLET_EGRESS_ALLOW',
} as const;
const healthLimitMs = 120_000;
const healthEveryMs = 20;

export async function up(flags: UpFlags): Promise<void> {
  const options = upOptions(withFlags(process.env, flags));
  if (options.networkMode === 'user' && (await tryUserNetwork()) === undefined) enterUserNamespace(options.run);
  const output = openOutput(flags.json ?? false);
  const platform = await output.progress(
    'starting',
    startPlatform(options, (text) => output.note(errorColours.yellow(text))),
  );
  const stop = stopOnSignal(platform, options.graceMs, output.note);
  try {
    await present(platform, options, flags, output, stop.asked);
  } catch (error) {
    await platform.stop(0);
    throw error;
  }
  await stop.over;
}

/** Says what serves, and where, once it does; says nothing when it is to end before. */
async function present(platform: Platform, options: UpOptions, flags: UpFlags, output: Output, ending: AbortSignal): Promise<void> {
  if (platform.mode === 'process') output.note(unprotected());
  const healthUrl = healthUrlOf(platform);
  if (healthUrl !== undefined) await output.progress('waiting until all roles serve', untilHealthy(healthUrl, ending));
  if (ending.aborted) return;
  const deployed =
    flags.deployExamples === true && platform.serves !== 'functions'
      ? await output.progress('deploying the examples', deployExamples(platform, output))
      : [];
  const facts = {
    ...(platform.serves === 'control'
      ? {}
      : {
          gatewayUrl: platform.gatewayUrl,
          gateways: platform.gateways,
          agents: platform.agents,
          ...(platform.secureUrl === undefined ? {} : { secureUrl: platform.secureUrl }),
        }),
    ...(platform.serves === 'functions' ? {} : { apiUrl: platform.apiUrl }),
    home: options.home,
    isolation: platform.isolation,
    mode: platform.mode,
    functions: deployed,
  };
  output.result(facts, () => welcome(platform, options.home, deployed));
}

/** Flags win over the environment. */
function withFlags(environment: NodeJS.ProcessEnv, flags: UpFlags): NodeJS.ProcessEnv {
  const merged: NodeJS.ProcessEnv = { ...environment };
  for (const [flag, variable] of Object.entries(variables)) {
    const value = flags[flag as keyof typeof variables];
    if (value !== undefined) merged[variable] = value;
  }
  return merged;
}

/** The end that a signal asks for. */
interface Stop {
  readonly asked: AbortSignal;
  readonly over: Promise<undefined>;
}

/** The first signal asks for a graceful end, the second for one at once. */
function stopOnSignal(platform: Platform, graceMs: number, note: (text: string) => void): Stop {
  const asking = new AbortController();
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const onSignal = () => {
    const isAgain = asking.signal.aborted;
    note(isAgain ? 'stopping at once' : `stopping; requests in flight have ${graceMs / 1000} s (again to stop at once)`);
    asking.abort();
    void platform.stop(isAgain ? 0 : graceMs).then(() => resolve(undefined));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
  // A terminal that was closed takes no more words; the stop goes on without them.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return { asked: asking.signal, over };
}

/** Undefined for control on a host of its own: it is whole when the other host is there, which may be much later. */
function healthUrlOf({ serves, apiUrl, gatewayUrl }: Platform): string | undefined {
  if (serves === 'control') return undefined;
  return serves === 'functions' ? `${gatewayUrl}/_/health` : `${apiUrl}/healthz`;
}

async function untilHealthy(healthUrl: string, ending: AbortSignal): Promise<void> {
  const until = performance.now() + healthLimitMs;
  while (performance.now() < until && !ending.aborted) {
    const healthy = await fetch(healthUrl).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy) return;
    await new Promise((resolve) => setTimeout(resolve, healthEveryMs));
  }
  if (ending.aborted) return;
  throw new Error(`the platform did not become healthy within ${healthLimitMs} ms; ${healthUrl} says what is missing`);
}

/** An example that cannot be deployed, as without a network its dependencies cannot, is told and keeps nothing else back. */
async function deployExamples({ apiUrl }: Platform, { note }: Output): Promise<Deployed[]> {
  const api = connectApi({ ...process.env, SWIFTLET_API_URL: apiUrl, SWIFTLET_TOKEN: undefined, SWIFTLET_TENANT: undefined });
  const means = { cache: join(cacheFolder(process.env), 'dependencies'), signal: new AbortController().signal, build: 'local' as const };
  const all = await Promise.all(exampleNames().map((name) => deployFolder(templateFolder(name), api, means)));
  for (const { name, error } of all.flatMap(({ failed }) => failed)) {
    note(errorColours.yellow(`The example "${name}" was not deployed: ${messageOf(error)}`));
  }
  return all.flatMap(({ deployed }) => deployed);
}

function welcome(
  { serves, gatewayUrl, gateways, agents, secureUrl, apiUrl, isolation }: Platform,
  home: string,
  deployed: readonly Deployed[],
): string {
  const where = [
    ...(serves === 'control'
      ? []
      : [
          `functions ${gatewayUrl}/<function>/${severalText(gateways, agents)}`,
          ...(secureUrl === undefined ? [] : [`and ${secureUrl}/<function>/`]),
        ]),
    ...(serves === 'functions' ? [] : [`API ${apiUrl}`, `docs ${apiUrl}/docs`]),
    `data ${home}`,
  ];
  const lines = [
    ...(serves === 'control' ? [] : [isolationTable(isolation)]),
    '',
    `${colours.bold('Swiftlet runs.')}  ${where.join('   ')}`,
    ...deployed.map(({ name, version, url }) => `  ${colours.bold(name.padEnd(12))} version ${version.number}  ${url}`),
  ];
  const hello = deployed.find(({ name }) => name === 'hello');
  return [
    ...lines,
    '',
    hello === undefined ? 'Make a function: swiftlet init hello && swiftlet deploy hello' : `Try it:  curl ${hello.url}?name=you`,
    '',
  ].join('\n');
}

function severalText(gateways: number, agents: number): string {
  const several = [...(gateways === 1 ? [] : [`${gateways} gateways`]), ...(agents === 1 ? [] : [`${agents} agents`])];
  return several.length === 0 ? '' : ` (${several.join(', ')})`;
}

const unprotected = (): string =>
  errorColours.bgRed(errorColours.white(' WARNING ')) +
  errorColours.red(
    ` Functions run as plain processes of ${process.getuid?.() === 0 ? 'root' : 'your user'}: they can read and change all that it can, see each other, and use the network. For development only.`,
  );
