/** `AWS::Serverless::Function` of SAM's `template.yaml`, as `swiftlet.yaml` would say it. Pure. */
import { Intrinsics } from './cloudformation.ts';
import {
  type ForeignFunction,
  type ForeignText,
  foreignText,
  isRecord,
  kebab,
  nearestName,
  list,
  NotTaken,
  type Path,
  section,
} from './foreign-manifest.ts';
import { environmentOf, layersOf, runtimeFor, said } from './lambda-words.ts';
import { readSamEvents } from './sam-events.ts';
import { readYaml, type YamlText } from './yaml-text.ts';

type Section = Readonly<Record<string, unknown>>;

export const samFunction = 'AWS::Serverless::Function';
const fileKeys = ['AWSTemplateFormatVersion', 'Transform', 'Description', 'Parameters', 'Globals', 'Resources'];
const resourceKeys = ['Type', 'Properties'];
const taken = [
  'FunctionName',
  'Handler',
  'Runtime',
  'CodeUri',
  'MemorySize',
  'Timeout',
  'Environment',
  'Events',
  'ReservedConcurrentExecutions',
  'ProvisionedConcurrencyConfig',
  'FunctionUrlConfig',
  'EventInvokeConfig',
  'Layers',
];
/** What a function of Lambda has that says nothing else. */
const defaults = { memory: 128, timeoutSeconds: 3 };

/** @returns undefined for a template without such functions, which is about something else @throws SwiftletError ManifestInvalid */
export function samText(content: string, file: string): ForeignText | undefined {
  const text = readYaml(content, file);
  const whole = section(text, text.value, []);
  const resources = section(text, whole['Resources'], ['Resources']);
  const functions = Object.entries(resources).flatMap(([id, value]) =>
    isRecord(value) && value['Type'] === samFunction ? [[id, value] as const] : [],
  );
  if (functions.length === 0) return undefined;
  const notTaken = new NotTaken(text);
  notTaken.addOthers(whole, [], fileKeys);
  for (const [id, value] of Object.entries(resources))
    if (isRecord(value) && value['Type'] !== samFunction) notTaken.add(['Resources', id], `${String(value['Type'])} is not made here`);
  const globals = section(text, whole['Globals'], ['Globals']);
  notTaken.addOthers(globals, ['Globals'], ['Function']);
  const names = new Map(
    functions.map(([id, value]) => [id, nameOf(id, section(text, value['Properties'], ['Resources', id, 'Properties']))]),
  );
  const intrinsics = new Intrinsics(text, section(text, whole['Parameters'], ['Parameters']), names);
  const shared = { text, notTaken, intrinsics, global: section(text, globals['Function'], ['Globals', 'Function']) };
  return foreignText(
    text,
    functions.map(([id, value]) => functionOf(shared, id, value, names.get(id) ?? id)),
    notTaken,
  );
}

interface Shared {
  readonly text: YamlText;
  readonly notTaken: NotTaken;
  readonly intrinsics: Intrinsics;
  readonly global: Section;
}

const nameOf = (id: string, properties: Section): string =>
  typeof properties['FunctionName'] === 'string' ? nearestName(properties['FunctionName']) : kebab(id);

function functionOf({ text, notTaken, intrinsics, global }: Shared, id: string, resource: Section, name: string): ForeignFunction {
  const at: Path = ['Resources', id, 'Properties'];
  notTaken.addOthers(resource, ['Resources', id], resourceKeys);
  const properties = section(text, resource['Properties'], at);
  const wanted = properties['FunctionName'];
  if (typeof wanted === 'string' ? wanted !== name : wanted !== undefined)
    notTaken.add([...at, 'FunctionName'], `it is called ${name} here`);
  const merged: Section = { ...global, ...properties };
  refuseOthersCode(text, merged, at);
  notTaken.addOthers(properties, at, [...taken, 'PackageType']);
  notTaken.addOthers(global, ['Globals', 'Function'], taken);
  const value = (key: string): unknown => intrinsics.resolved(merged[key]);
  const variables = (from: Section, place: Path) => {
    const environment = section(text, from['Environment'], [...place, 'Environment']);
    const found = intrinsics.resolved(section(text, environment['Variables'], [...place, 'Environment', 'Variables']));
    return environmentOf(isRecord(found) ? found : {}, [...place, 'Environment', 'Variables'], notTaken);
  };
  const provisioned = section(text, value('ProvisionedConcurrencyConfig'), [...at, 'ProvisionedConcurrencyConfig']);
  const invoked = section(text, value('EventInvokeConfig'), [...at, 'EventInvokeConfig']);
  notTaken.addOthers(invoked, [...at, 'EventInvokeConfig'], ['MaximumRetryAttempts', 'MaximumEventAgeInSeconds']);
  const entry = said({
    awsSdk: 'auto',
    source: value('CodeUri') ?? '.',
    handler: value('Handler'),
    runtime: runtimeFor(text, value('Runtime'), [...at, 'Runtime']),
    memory: value('MemorySize') ?? defaults.memory,
    timeout: value('Timeout') ?? defaults.timeoutSeconds,
    environment: { ...variables(global, ['Globals', 'Function']), ...variables(properties, at) },
    minimum: provisioned['ProvisionedConcurrentExecutions'],
    maximum: value('ReservedConcurrentExecutions'),
    layers: layersOf(list(text, value('Layers'), [...at, 'Layers']), [...at, 'Layers'], notTaken),
    async: said({ retries: invoked['MaximumRetryAttempts'], maximumAge: invoked['MaximumEventAgeInSeconds'] }),
    ...readSamEvents(text, notTaken, intrinsics, merged, at),
  });
  return { name, at: ['Resources', id], entry };
}

/** Code that is no folder beside the template. @throws SwiftletError ManifestInvalid */
function refuseOthersCode(text: YamlText, properties: Section, at: Path): void {
  if (properties['PackageType'] === 'Image' || properties['ImageUri'] !== undefined)
    throw text.refuse(at, 'functions that are container images cannot be deployed here; "runtime: http" runs a server');
  if (properties['InlineCode'] !== undefined)
    throw text.refuse([...at, 'InlineCode'], 'put the code in a file, and name its folder as CodeUri');
  const code = properties['CodeUri'];
  if (code !== undefined && (typeof code !== 'string' || code.startsWith('s3://') || code.endsWith('.zip')))
    throw text.refuse([...at, 'CodeUri'], 'it is a folder here, and no archive');
  if (properties['Handler'] === undefined) throw text.refuse(at, 'it has no Handler');
}
