/** `serverless.yml` of the Serverless Framework (and osls), as `swiftlet.yaml` would say it. Pure. */
import {
  type ForeignFunction,
  type ForeignText,
  foreignText,
  isRecord,
  nearestName,
  list,
  NotTaken,
  type Path,
  section,
} from './foreign-manifest.ts';
import { nameRule } from '../../model/names.ts';
import { environmentOf, layersOf, runtimeFor, said } from './lambda-words.ts';
import { excludeLines } from './package-patterns.ts';
import { readEvents } from './serverless-events.ts';
import { Variables, type VariableSources } from './serverless-variables.ts';
import { readYaml, type YamlText } from './yaml-text.ts';

type Section = Readonly<Record<string, unknown>>;

/** Where the framework's own defaults are others than ours. */
const defaults = { memory: 1_024, timeoutSeconds: 6 };
/** What says something to the framework alone, or is there for variables. */
const ownKeys = [
  'frameworkVersion',
  'configValidationMode',
  'deprecationNotificationMode',
  'disabledDeprecations',
  'variablesResolutionMode',
];
const fileKeys = ['service', 'provider', 'functions', 'package', 'custom', ...ownKeys];
const providerKeys = ['name', 'runtime', 'stage', 'region', 'memorySize', 'timeout', 'environment', 'httpApi', 'layers'];
const httpApiKeys = ['cors', 'payload'];
const functionKeys = [
  'handler',
  'name',
  'description',
  'runtime',
  'memorySize',
  'timeout',
  'environment',
  'events',
  'url',
  'reservedConcurrency',
  'provisionedConcurrency',
  'maximumRetryAttempts',
  'maximumEventAge',
  'layers',
  'package',
];
const packageKeys = ['patterns', 'include', 'exclude', 'individually', 'excludeDevDependencies'];

/** What all functions of a file share. */
interface Shared {
  readonly text: YamlText;
  readonly notTaken: NotTaken;
  readonly service: string;
  readonly stage: string;
  readonly provider: Section;
  readonly patterns: readonly string[];
}

/** @throws SwiftletError ManifestInvalid with the place and the remedy */
export function serverlessText(content: string, file: string, sources: VariableSources): ForeignText {
  const read = readYaml(content, file);
  const variables = new Variables(read, sources);
  // What is for AWS alone may have variables in it that only AWS could tell.
  const whole = section(read, read.value, []);
  const resolved = Object.fromEntries(
    Object.entries(whole).map(([key, value]) => [
      key,
      fileKeys.includes(key) && key !== 'custom' ? variables.resolved(value, [key]) : value,
    ]),
  );
  const notTaken = new NotTaken(read);
  notTaken.addOthers(resolved, [], fileKeys);
  const provider = providerOf(read, resolved['provider'], notTaken);
  const service = isRecord(resolved['service']) ? resolved['service']['name'] : resolved['service'];
  if (typeof service !== 'string') throw read.refuse(['service'], 'it is the name of the service');
  const patterns = patternsOf(read, resolved['package'], ['package'], notTaken);
  const shared: Shared = { text: read, notTaken, service, stage: variables.stage(), provider, patterns };
  return foreignText(read, functionsOf(shared, resolved['functions']), notTaken);
}

function providerOf(text: YamlText, value: unknown, notTaken: NotTaken): Section {
  const provider = typeof value === 'string' ? { name: value } : section(text, value, ['provider']);
  if (provider['name'] !== 'aws')
    throw text.refuse(['provider', 'name'], `functions for ${String(provider['name'])} cannot be read, only those for aws`);
  notTaken.addOthers(provider, ['provider'], providerKeys);
  notTaken.addOthers(section(text, provider['httpApi'], ['provider', 'httpApi']), ['provider', 'httpApi'], httpApiKeys);
  return provider;
}

/** They stand by their names, or in a list of such. */
function functionsOf(shared: Shared, value: unknown): ForeignFunction[] {
  const { text } = shared;
  const groups = Array.isArray(value)
    ? value.map((one: unknown, at) => [one, ['functions', at]] as const)
    : [[value, ['functions']] as const];
  return groups.flatMap(([group, at]) =>
    Object.entries(section(text, group, at)).map(([key, entry]) =>
      functionOf(shared, key, section(text, entry, [...at, key]), [...at, key]),
    ),
  );
}

function functionOf(shared: Shared, key: string, own: Section, at: Path): ForeignFunction {
  const { text, notTaken, provider, service, stage } = shared;
  notTaken.addOthers(own, at, [...functionKeys, 'image']);
  if (own['image'] !== undefined || own['handler'] === undefined)
    throw text.refuse(
      at,
      own['image'] === undefined
        ? 'it has no handler'
        : 'functions that are container images cannot be deployed here; "runtime: http" runs a server',
    );
  if (own['description'] !== undefined) notTaken.add([...at, 'description'], 'functions have no description here');
  const ofEvents = readEvents(text, notTaken, own, provider, at);
  const environment = {
    ...environmentOf(section(text, provider['environment'], ['provider', 'environment']), ['provider', 'environment'], notTaken),
    ...environmentOf(section(text, own['environment'], [...at, 'environment']), [...at, 'environment'], notTaken),
  };
  const age = own['maximumEventAge'];
  const entry = said({
    awsSdk: 'auto',
    source: '.',
    handler: own['handler'],
    runtime: runtimeFor(
      text,
      own['runtime'] ?? provider['runtime'],
      own['runtime'] === undefined ? ['provider', 'runtime'] : [...at, 'runtime'],
    ),
    memory: own['memorySize'] ?? provider['memorySize'] ?? defaults.memory,
    timeout: own['timeout'] ?? provider['timeout'] ?? defaults.timeoutSeconds,
    environment,
    minimum: own['provisionedConcurrency'],
    maximum: own['reservedConcurrency'],
    layers:
      own['layers'] === undefined
        ? layersOf(list(text, provider['layers'], ['provider', 'layers']), ['provider', 'layers'], notTaken)
        : layersOf(list(text, own['layers'], [...at, 'layers']), [...at, 'layers'], notTaken),
    async: said({ retries: own['maximumRetryAttempts'], maximumAge: age }),
    build: { exclude: excludeLines([...shared.patterns, ...patternsOf(text, own['package'], [...at, 'package'], notTaken)]) },
    ...ofEvents,
  });
  const given = own['name'];
  return {
    name: typeof given === 'string' ? named(given, [...at, 'name'], notTaken) : named(`${service}-${stage}-${key}`, at, notTaken),
    at,
    entry,
  };
}

/** As AWS would call it, unless it cannot be called that here. */
function named(wanted: string, at: Path, notTaken: NotTaken): string {
  const name = nearestName(wanted);
  if (name !== wanted) notTaken.add(at, `it is called ${name} here instead of ${wanted}: a name is ${nameRule}`);
  return name;
}

function patternsOf(text: YamlText, value: unknown, at: Path, notTaken: NotTaken): string[] {
  const wish = section(text, value, at);
  if (wish['artifact'] !== undefined)
    throw text.refuse([...at, 'artifact'], 'an archive that was made already cannot be deployed; leave it out, so that the folder is');
  notTaken.addOthers(wish, at, packageKeys);
  const strings = (key: string) => list(text, wish[key], [...at, key]).map(String);
  const all = [...strings('exclude').map((pattern) => `!${pattern}`), ...strings('include'), ...strings('patterns')];
  const plain = all.filter((pattern) => !/[{}()]/.test(pattern));
  for (const pattern of all)
    if (!plain.includes(pattern))
      notTaken.add([...at, 'patterns'], `${pattern}: braces and brackets are not understood; write out what they stand for`);
  return plain;
}
