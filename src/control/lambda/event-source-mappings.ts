/**
 * Event source mappings of Lambda's API. One that can be served is a source of its function, `mapping-…`, in a version that takes over at once;
 * any other is kept and described, and says why nothing comes of it.
 */
import { randomUUID } from 'node:crypto';
import { functionReference } from '../../lambda/function-reference.ts';
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
import { liveAlias } from '../../model/traffic.ts';
import type { FunctionConfig } from '../../model/function.ts';
import { judge, type Right } from '../../model/rights.ts';
import { type SourceView, sourcesViewSchema } from '../../wire/source-calls.ts';
import { fieldsOf } from './function-fields.ts';
import type { LambdaRecord, MappingRecord } from './lambda-record.ts';
import type { FunctionMapping } from './lambda-store.ts';
import { createMappingSchema, type MappingFields, updateMappingSchema } from './mapping-fields.ts';
import { type MappedSource, mappedSource, type MappingNames } from './mapping-source.ts';
import { type MappingState, mappingState, mappingView } from './mapping-view.ts';
import { type Asked, type Asking, changeRecord, type LambdaOperation, missing, type OperationMeans, textIn } from './operation.ts';
import { cut, pageOf } from './page.ts';
import { type PresentFunction, presentFunction } from './present-function.ts';
import { reconfigure } from './publish.ts';

const mappingsPath = '/2015-03-31/event-source-mappings';
const mappingPath = `${mappingsPath}/:UUID`;
const mostOfPage = 100;
const askLimitMs = 2_000;

export const mappingOperations: readonly LambdaOperation[] = [
  { method: 'POST', url: mappingsPath, right: 'change', status: 202, run: create },
  { method: 'GET', url: mappingsPath, right: 'read', status: 200, run: list },
  { method: 'GET', url: mappingPath, right: 'read', status: 200, run: get },
  { method: 'PUT', url: mappingPath, right: 'change', status: 202, run: update },
  { method: 'DELETE', url: mappingPath, right: 'change', status: 202, run: remove },
];

async function create(means: OperationMeans, asking: Asking, { name, body }: Asked): Promise<object> {
  const { FunctionName: named, Tags: tags = {}, ...fields } = fieldsOf(createMappingSchema, body);
  demandLatest(named);
  await presentFunction(means, asking, name);
  const at = new Date(means.now()).toISOString();
  const mapping: MappingRecord = { uuid: randomUUID(), createdAt: at, changedAt: at, fields, tags };
  const mapped = mappedSource(fields, namesOf(mapping));
  demandNew(await means.store.lambda.mappings(asking.tenant), name, fields);
  await keep(means, asking, name, mapping, mapped);
  return mappingView(asking, name, mapping, mapped, begun(mapped, 'Creating'));
}

async function update(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  const { FunctionName: named, ...changes } = fieldsOf(updateMappingSchema, asked.body ?? {});
  const { function: name, mapping: before } = await found(means, asking, asked, 'change');
  if (named !== undefined && functionReference(named, undefined).name !== name)
    throw wrong('FunctionName: a mapping stays with its function here; delete it, and make one for the other function');
  const fields = { ...before.fields, ...changes };
  const mapping = { ...before, fields, changedAt: new Date(means.now()).toISOString() };
  const mapped = mappedSource(fields, namesOf(mapping));
  await keep(means, asking, name, mapping, mapped);
  const wasEnabled = before.fields.Enabled !== false;
  const isEnabled = fields.Enabled !== false;
  return mappingView(
    asking,
    name,
    mapping,
    mapped,
    begun(mapped, wasEnabled === isEnabled ? 'Updating' : isEnabled ? 'Enabling' : 'Disabling'),
  );
}

async function get(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  return view(means, asking, await found(means, asking, asked, 'read'));
}

async function list(means: OperationMeans, asking: Asking, { query }: Asked): Promise<object> {
  const named = textIn(query, 'FunctionName');
  const only = named === undefined ? undefined : functionReference(named, undefined).name;
  if (only !== undefined && (await means.store.findFunction(asking.tenant, only)) === undefined) throw missing(only);
  const arn = textIn(query, 'EventSourceArn');
  const all = (await means.store.lambda.mappings(asking.tenant)).filter(
    ({ function: name, mapping }) =>
      (only === undefined || name === only) && (arn === undefined || mapping.fields.EventSourceArn === arn) && may(asking, 'read', name),
  );
  const { page, next } = cut(all, pageOf(query, mostOfPage), ({ mapping }) => mapping.uuid);
  const sources = await sourcesOf(means, asking, only);
  const EventSourceMappings = await Promise.all(page.map((one) => view(means, asking, one, sources)));
  return { EventSourceMappings, ...(next === undefined ? {} : { NextMarker: next }) };
}

async function remove(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  const { function: name, mapping } = await found(means, asking, asked, 'change');
  const mapped = mappedSource(mapping.fields, namesOf(mapping));
  await changeBoth(
    means,
    asking,
    name,
    (config) => withoutSource(config, mapping),
    (record) => withoutMapping(record, mapping),
  );
  return mappingView(asking, name, mapping, mapped, begun(mapped, 'Deleting'));
}

/** Has what follows from a mapping, too: its source, in what serves. */
function keep(means: OperationMeans, asking: Asking, name: string, mapping: MappingRecord, mapped: MappedSource): Promise<void> {
  const said = (record: LambdaRecord) => ({ ...record, mappings: { ...record.mappings, [mapping.uuid]: mapping } });
  return changeBoth(means, asking, name, (config) => withSource(config, mapping, mapped), said);
}

async function changeBoth(
  means: OperationMeans,
  asking: Asking,
  name: string,
  change: (config: FunctionConfig) => Partial<FunctionConfig>,
  said: (record: LambdaRecord) => LambdaRecord,
): Promise<void> {
  const { config } = (await presentFunction(means, asking, name)).of.serving;
  const isChanged = Object.keys(change(config)).length > 0;
  await (isChanged ? reconfigure(means, asking, name, change, said) : changeRecord(means, asking, name, said));
}

const sourceNameOf = ({ uuid }: Pick<MappingRecord, 'uuid'>): string => `mapping-${uuid.slice(0, 8)}`;
const namesOf = ({ uuid }: Pick<MappingRecord, 'uuid'>): MappingNames => ({
  uuid,
  loginVariable: `MAPPING_${uuid.slice(0, 8).toUpperCase()}_LOGIN`,
});

function withSource(config: FunctionConfig, mapping: MappingRecord, mapped: MappedSource): Partial<FunctionConfig> {
  if (mapped.kind === 'unserved') return {};
  const { sources, secrets } = { ...config, ...withoutSource(config, mapping) };
  const { loginVariable } = namesOf(mapping);
  return {
    sources: { ...sources, [sourceNameOf(mapping)]: mapped.source },
    secrets: mapped.login === undefined ? secrets : { ...secrets, [loginVariable]: { secret: mapped.login, as: 'environment' } },
  };
}

/** Empty when it has none. */
function withoutSource({ sources, secrets }: FunctionConfig, mapping: MappingRecord): Partial<FunctionConfig> {
  const name = sourceNameOf(mapping);
  if (!Object.hasOwn(sources, name)) return {};
  return { sources: without(sources, name), secrets: without(secrets, namesOf(mapping).loginVariable) };
}

const without = <T>(all: Readonly<Record<string, T>>, name: string): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([other]) => other !== name));

const withoutMapping = (record: LambdaRecord, { uuid }: MappingRecord): LambdaRecord => ({
  ...record,
  mappings: without(record.mappings, uuid),
});

/** What a change is answered with: it is told as it begins. */
const begun = (mapped: MappedSource, State: MappingState['State']): MappingState =>
  mapped.kind === 'unserved'
    ? { State, StateTransitionReason: mapped.reason }
    : { State, StateTransitionReason: 'USER_INITIATED', ...(State === 'Creating' ? { LastProcessingResult: 'No records processed' } : {}) };

async function view(
  means: OperationMeans,
  asking: Asking,
  { function: name, mapping }: FunctionMapping,
  sources?: readonly SourceView[],
): Promise<object> {
  const [present, asked] = await Promise.all([presentFunction(means, asking, name), sources ?? sourcesOf(means, asking, name)]);
  const mapped = mappedSource(mapping.fields, namesOf(mapping));
  return mappingView(asking, name, mapping, mapped, stateOf(present, name, mapping, mapped, asked));
}

function stateOf(
  { of, isPlaced }: PresentFunction,
  name: string,
  mapping: MappingRecord,
  mapped: MappedSource,
  sources: readonly SourceView[],
): MappingState {
  const sourceName = sourceNameOf(mapping);
  const source = sources.find((one) => one.function === name && one.name === sourceName);
  return mappingState(mapping, { mapped, isPlaced, source, isDeclared: Object.hasOwn(of.serving.config.sources, sourceName) });
}

/** As the events role has them; none while it is away: what was said of a mapping is shown all the same. */
async function sourcesOf({ roles }: OperationMeans, { tenant }: Asking, name: string | undefined): Promise<readonly SourceView[]> {
  const asked = { tenant, ...(name === undefined ? {} : { function: name }) };
  const answer = await roles.askEvents('sources', asked, askLimitMs).catch(() => ({ sources: [] }));
  return sourcesViewSchema.parse(answer).sources;
}

const found = (means: OperationMeans, asking: Asking, { params }: Asked, right: Right): Promise<FunctionMapping> =>
  findMapping(means, asking, textIn(params, 'UUID') ?? '', right);

/** The id of a mapping that an ARN names; undefined: it names none. */
export const mappingOfArn = (arn: string): string | undefined =>
  /^arn:aws[a-zA-Z-]*:lambda:[^:]*:\d{12}:event-source-mapping:([\w-]+)$/.exec(arn)?.[1];

/** @throws LambdaError ResourceNotFoundException, for one of a function that the caller may not see, too; AccessDeniedException */
export async function findMapping(means: OperationMeans, asking: Asking, uuid: string, right: Right): Promise<FunctionMapping> {
  const one = (await means.store.lambda.mappings(asking.tenant)).find(({ mapping }) => mapping.uuid === uuid);
  if (one === undefined || !may(asking, 'read', one.function)) throw noMapping();
  if (may(asking, right, one.function)) return one;
  throw new LambdaError(
    'AccessDeniedException',
    `User: ${asking.caller.id} is not authorized: its key has no right to ${right} ${one.function}`,
  );
}

const may = ({ caller, tenant }: Asking, right: Right, name: string): boolean =>
  judge(caller, right, { kind: 'function', tenant, name }) === 'granted';

const noMapping = (): LambdaError => new LambdaError('ResourceNotFoundException', 'The resource you requested does not exist.');

/** @throws LambdaError ResourceConflictException for the same source again */
function demandNew(all: readonly FunctionMapping[], name: string, fields: MappingFields): void {
  const same = all.find((one) => one.function === name && originOf(one.mapping.fields) === originOf(fields));
  if (same === undefined) return;
  throw new LambdaError(
    'ResourceConflictException',
    `An event source mapping with event source ("${fields.EventSourceArn ?? fields.Topics?.[0] ?? ''}") and function ("${name}") already exists. Please update or delete the existing mapping with UUID ${same.mapping.uuid}`,
  );
}

const originOf = ({ EventSourceArn, SelfManagedEventSource, Topics, Queues }: MappingFields): string =>
  JSON.stringify([EventSourceArn, SelfManagedEventSource?.Endpoints?.KAFKA_BOOTSTRAP_SERVERS?.toSorted(), Topics, Queues]);

/** @throws LambdaError InvalidParameterValueException */
function demandLatest(named: string): void {
  const { qualifier } = functionReference(named, undefined);
  if (qualifier.kind === 'latest' || (qualifier.kind === 'alias' && qualifier.name === liveAlias)) return;
  throw wrong('FunctionName: messages are handed to what serves here; leave the qualifier out');
}
