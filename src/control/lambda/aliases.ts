/** Aliases of Lambda's API: a version, and perhaps a part of the requests to others. */
import { z } from 'zod';
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
import { nameRule, nameSchema } from '../../model/names.ts';
import { allTo, type Split, tenthsOf, weightIn, wholeTenths } from '../../model/traffic.ts';
import { changeTraffic } from '../api/aliases.ts';
import { aliasesOf, type Pointer, removeAlias, setAlias } from '../traffic.ts';
import { arnOf } from './configuration.ts';
import { fieldsOf } from './function-fields.ts';
import { type Asked, type Asking, functionPath, type LambdaOperation, missing, type OperationMeans, textIn } from './operation.ts';
import { cut, pageOf } from './page.ts';
import { revisionId } from './revision-id.ts';

const versionSchema = z.string().regex(/^(?:\$LATEST|[0-9]+)$/);
const shape = {
  Description: z.string().max(256).optional(),
  RoutingConfig: z
    .strictObject({ AdditionalVersionWeights: z.record(z.string().regex(/^[0-9]+$/), z.number().min(0).max(1)).default({}) })
    .optional(),
};
const createSchema = z.strictObject({ ...shape, Name: z.string().min(1).max(128), FunctionVersion: versionSchema });
const updateSchema = z.strictObject({ ...shape, FunctionVersion: versionSchema.optional(), RevisionId: z.string().optional() });

const aliasesPath = `${functionPath}/aliases`;
const aliasPath = `${aliasesPath}/:Name`;

export const aliasOperations: readonly LambdaOperation[] = [
  { method: 'POST', url: aliasesPath, right: 'steer', status: 201, run: createAlias },
  { method: 'GET', url: aliasesPath, right: 'read', status: 200, run: listAliases },
  { method: 'GET', url: aliasPath, right: 'read', status: 200, run: getAlias },
  { method: 'PUT', url: aliasPath, right: 'steer', status: 200, run: updateAlias },
  { method: 'DELETE', url: aliasPath, right: 'steer', status: 204, run: deleteAlias },
];

interface Alias {
  readonly name: string;
  readonly pointer: Pointer;
  readonly description: string;
}

async function createAlias(means: OperationMeans, asking: Asking, { name, body }: Asked): Promise<object> {
  const fields = fieldsOf(createSchema, body);
  const { Name: alias, Description: description = '' } = fields;
  if (!nameSchema.safeParse(alias).success) throw wrong(`Name: an alias is ${nameRule}, not "${alias}"`);
  if ((await aliasesIn(means, asking, name)).some((one) => one.name === alias))
    throw new LambdaError('ResourceConflictException', `Alias already exists: ${arnOf(asking, name)}:${alias}`);
  await point(means, asking, name, alias, splitOf(fields.FunctionVersion, fields.RoutingConfig), description);
  return view(asking, name, await find(means, asking, name, alias));
}

async function updateAlias(means: OperationMeans, asking: Asking, { name, params, body }: Asked): Promise<object> {
  const fields = fieldsOf(updateSchema, body);
  const before = await find(means, asking, name, textIn(params, 'Name') ?? '');
  const { RevisionId: revision, Description: description = before.description, RoutingConfig: routing } = fields;
  if (revision !== undefined && revision !== revisionId(before))
    throw new LambdaError(
      'PreconditionFailedException',
      'The RevisionId provided does not match the latest RevisionId. Call the GetAlias API to retrieve it.',
    );
  const { versions } = before.pointer;
  const main = fields.FunctionVersion ?? mainOf(versions);
  const split = routing === undefined && fields.FunctionVersion === undefined ? versions : splitOf(main, routing ?? routingOf(versions));
  await point(means, asking, name, before.name, split, description);
  return view(asking, name, await find(means, asking, name, before.name));
}

async function getAlias(means: OperationMeans, asking: Asking, { name, params }: Asked): Promise<object> {
  return view(asking, name, await find(means, asking, name, textIn(params, 'Name') ?? ''));
}

async function listAliases(means: OperationMeans, asking: Asking, { name, query }: Asked): Promise<object> {
  const version = textIn(query, 'FunctionVersion');
  const all = (await aliasesIn(means, asking, name)).filter(
    ({ pointer }) => version === undefined || pointer.versions.some((part) => String(part.version) === version),
  );
  const { page, next } = cut(all, pageOf(query), (alias) => alias.name);
  return { Aliases: page.map((alias) => view(asking, name, alias)), ...(next === undefined ? {} : { NextMarker: next }) };
}

async function deleteAlias(means: OperationMeans, { tenant }: Asking, { name, params }: Asked): Promise<undefined> {
  const alias = textIn(params, 'Name') ?? '';
  await changeTraffic(means, { tenant, function: name }, (traffic, facts) => removeAlias(traffic, alias, facts));
  return undefined;
}

async function aliasesIn({ store }: OperationMeans, { tenant }: Asking, name: string): Promise<Alias[]> {
  const traffic = await store.traffic(tenant, name);
  if (traffic === undefined) throw missing(name);
  const descriptions = (await store.lambda.find(tenant, name))?.aliases ?? {};
  return aliasesOf(traffic).map(([alias, pointer]) => ({ name: alias, pointer, description: descriptions[alias] ?? '' }));
}

async function find(means: OperationMeans, asking: Asking, name: string, alias: string): Promise<Alias> {
  const found = (await aliasesIn(means, asking, name)).find((one) => one.name === alias);
  if (found !== undefined) return found;
  throw new LambdaError('ResourceNotFoundException', `Cannot find alias arn: ${arnOf(asking, name)}:${alias}`);
}

async function point(
  means: OperationMeans,
  { tenant }: Asking,
  name: string,
  alias: string,
  versions: Split,
  description: string,
): Promise<void> {
  const { store } = means;
  await changeTraffic(means, { tenant, function: name }, (traffic, facts) => setAlias(traffic, alias, versions, undefined, facts));
  await store.lambda.change(tenant, name, (record) => ({ ...record, aliases: { ...record.aliases, [alias]: description } }));
}

/** Lambda has parts of one, we have per cents with one decimal. @throws LambdaError InvalidParameterValueException */
function splitOf(main: string, routing: z.output<typeof shape.RoutingConfig>): Split {
  if (main === '$LATEST') throw wrong('FunctionVersion: an alias points to a version here; PublishVersion tells its number');
  const others = Object.entries(routing?.AdditionalVersionWeights ?? {}).filter(([, weight]) => weight > 0);
  const tenths = others.map(([version, weight]) => ({ version: Number(version), tenths: weight * wholeTenths }));
  const rest = wholeTenths - tenths.reduce((sum, part) => sum + part.tenths, 0);
  if (tenths.some((part) => Math.abs(part.tenths - Math.round(part.tenths)) > 1e-6) || rest < 1)
    throw wrong('RoutingConfig: weights are parts of one with three decimals at most, and leave something for FunctionVersion');
  if (tenths.some(({ version }) => String(version) === main)) throw wrong('RoutingConfig: FunctionVersion itself has the rest');
  if (tenths.length === 0) return allTo(Number(main));
  return [
    { version: Number(main), weight: Math.round(rest) / 10 },
    ...tenths.map((part) => ({ version: part.version, weight: Math.round(part.tenths) / 10 })),
  ];
}

/** The one that was named as such: it stands first. */
const mainOf = (versions: Split): string => String(versions[0]?.version ?? '');

const routingOf = (versions: Split): { readonly AdditionalVersionWeights: Record<string, number> } => ({
  AdditionalVersionWeights: Object.fromEntries(
    versions.slice(1).map(({ version }) => [String(version), tenthsOf(weightIn(versions, version)) / wholeTenths]),
  ),
});

function view(asking: Asking, name: string, alias: Alias): object {
  const { versions } = alias.pointer;
  return {
    AliasArn: `${arnOf(asking, name)}:${alias.name}`,
    Name: alias.name,
    FunctionVersion: mainOf(versions),
    Description: alias.description,
    ...(versions.length > 1 ? { RoutingConfig: routingOf(versions) } : {}),
    RevisionId: revisionId(alias),
  };
}
