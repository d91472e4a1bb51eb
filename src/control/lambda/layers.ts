/** Layers of Lambda's API: versions of shared files, from packages as those of functions. */
import { z } from 'zod';
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
import { accountOf } from '../../model/account.ts';
import { type LayerId, layerNotesSchema, layerReference, parseLayer } from '../../model/layer.ts';
import { lambdaPackage } from '../../model/limits.ts';
import { nameSchema } from '../../model/names.ts';
import type { LayerRecord } from '../layers/layer-store.ts';
import { findLayer, publishLayer, removeLayer } from '../layers/layers.ts';
import { uploadMade } from '../upload.ts';
import { fieldsOf, zipOf } from './function-fields.ts';
import { architectures, hostArchitecture } from './lambda-record.ts';
import { type Asked, type Asking, type LambdaOperation, type OperationMeans, textIn } from './operation.ts';
import { cut, pageOf } from './page.ts';
import { bundleOfZip } from './zip-bundle.ts';

const layersPath = '/2018-10-31/layers';
const versionsPath = `${layersPath}/:LayerName/versions`;
const versionPath = `${versionsPath}/:VersionNumber`;
/** A name, or all of an ARN; behind it a version, where one is named. */
const arnPattern = /^(?:arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:(\d{12}):layer:)?([\w-]{1,140})(?::(\d{1,9}))?$/;

const { description, license, runtimes } = layerNotesSchema.shape;
const publishSchema = z.strictObject({
  LayerName: z.string().optional(),
  Description: description,
  Content: z.strictObject({
    ZipFile: z.string().optional(),
    S3Bucket: z.string().optional(),
    S3Key: z.string().optional(),
    S3ObjectVersion: z.string().optional(),
  }),
  CompatibleRuntimes: runtimes,
  CompatibleArchitectures: z.array(z.enum(architectures)).max(2).optional(),
  LicenseInfo: license,
});

export const layerOperations: readonly LambdaOperation[] = [
  { method: 'POST', url: versionsPath, about: 'tenant', right: 'change', status: 201, run: publishVersion },
  { method: 'GET', url: versionsPath, about: 'tenant', right: 'read', status: 200, run: listVersions },
  { method: 'GET', url: versionPath, about: 'tenant', right: 'read', status: 200, run: getVersion },
  { method: 'DELETE', url: versionPath, about: 'tenant', right: 'change', status: 204, run: deleteVersion },
  { method: 'GET', url: layersPath, about: 'tenant', right: 'read', status: 200, run: listOrFind },
];

async function publishVersion(means: OperationMeans, asking: Asking, { params, body }: Asked): Promise<object> {
  const name = nameIn(asking, params);
  const fields = fieldsOf(publishSchema, body);
  if (!nameSchema.safeParse(name).success) throw wrong(`LayerName: ${nameSchema.safeParse(name).error?.issues[0]?.message ?? ''} here`);
  if (fields.CompatibleArchitectures !== undefined && !fields.CompatibleArchitectures.includes(hostArchitecture))
    throw wrong(`CompatibleArchitectures: this host is ${hostArchitecture}; build the layer for it`);
  const zip = zipOf(fields.Content);
  if (zip.length > lambdaPackage.packedBytes)
    throw new LambdaError('RequestTooLargeException', `A package has at most ${lambdaPackage.packedBytes} bytes, zipped.`);
  const { digest } = await uploadMade(means, asking.tenant, bundleOfZip(zip));
  const { Description, LicenseInfo, CompatibleRuntimes } = fields;
  const notes = {
    ...(Description === undefined ? {} : { description: Description }),
    ...(LicenseInfo === undefined ? {} : { license: LicenseInfo }),
    ...(CompatibleRuntimes === undefined ? {} : { runtimes: CompatibleRuntimes }),
  };
  const draft = { digest, notes, createdAt: new Date(means.now()).toISOString(), always: true };
  const { layer } = await publishLayer(means.store.layers, asking.tenant, name, draft);
  return whole(asking, layer);
}

async function getVersion({ store }: OperationMeans, asking: Asking, { params }: Asked): Promise<object> {
  return whole(asking, await findLayer(store.layers, asking.tenant, versionIn(asking, params)));
}

async function deleteVersion({ store }: OperationMeans, asking: Asking, { params }: Asked): Promise<undefined> {
  await removeLayer(store.layers, asking.tenant, versionIn(asking, params));
  return undefined;
}

async function listVersions({ store }: OperationMeans, asking: Asking, { params, query }: Asked): Promise<object> {
  const name = nameIn(asking, params);
  const found = (await store.layers.list(asking.tenant)).filter((layer) => layer.name === name && fits(layer, query));
  const { page, next } = cut(found, pageOf(query), ({ version }) => String(version));
  return { LayerVersions: page.map((layer) => described(asking, layer)), ...(next === undefined ? {} : { NextMarker: next }) };
}

/** `GetLayerVersionByArn` has the path of `ListLayers`. */
async function listOrFind({ store }: OperationMeans, asking: Asking, { query }: Asked): Promise<object> {
  if (textIn(query, 'find') === 'LayerVersion')
    return whole(asking, await findLayer(store.layers, asking.tenant, layerOf(asking, textIn(query, 'Arn') ?? '')));
  const all = (await store.layers.list(asking.tenant)).filter((layer) => fits(layer, query));
  const newest = all.filter(({ name }, at) => all.findIndex((other) => other.name === name) === at);
  const { page, next } = cut(newest, pageOf(query), ({ name }) => name);
  const Layers = page.map((layer) => ({
    LayerName: layer.name,
    LayerArn: layerArn(asking, layer.name),
    LatestMatchingVersion: described(asking, layer),
  }));
  return { Layers, ...(next === undefined ? {} : { NextMarker: next }) };
}

/** Whether it is for the runtime that is asked for: one that says nothing of runtimes is for all. */
function fits({ notes }: LayerRecord, query: unknown): boolean {
  const wanted = textIn(query, 'CompatibleRuntime');
  return wanted === undefined || notes.runtimes === undefined || notes.runtimes.includes(wanted);
}

/**
 * As a function's `Layers` have it: an ARN with its version.
 * @returns references as a configuration has them
 * @throws LambdaError InvalidParameterValueException
 */
export const layersOf = (asking: Pick<Asking, 'tenant'>, arns: readonly string[]): string[] =>
  arns.map((arn) => layerReference(layerOf(asking, arn)));

/** As `FunctionConfiguration` has them. */
export const layersAs = (asking: Pick<Asking, 'tenant' | 'region'>, references: readonly string[]): object =>
  references.length === 0 ? {} : { Layers: references.map((reference) => ({ Arn: layerArn(asking, reference) })) };

function layerOf({ tenant }: Pick<Asking, 'tenant'>, arn: string): LayerId {
  const [, account, name = '', version = ''] = arnPattern.exec(arn) ?? [];
  const id = parseLayer(`${name}:${version}`);
  if (id !== undefined && (account === undefined || account === accountOf(tenant))) return id;
  throw wrong(
    `${arn.slice(0, 256)} names no version of a layer of this account, such as arn:aws:lambda:<region>:${accountOf(tenant)}:layer:libs:1`,
  );
}

function nameIn({ tenant }: Asking, params: unknown): string {
  const said = textIn(params, 'LayerName') ?? '';
  const [, account, name] = arnPattern.exec(said) ?? [];
  if (name !== undefined && (account === undefined || account === accountOf(tenant))) return name;
  throw wrong(`LayerName: ${said.slice(0, 256)} is neither a layer's name nor the ARN of one of this account`);
}

function versionIn(asking: Asking, params: unknown): LayerId {
  const number = Number(textIn(params, 'VersionNumber'));
  if (!Number.isSafeInteger(number) || number < 1) throw wrong('VersionNumber is the number of a version, such as 1');
  return { name: nameIn(asking, params), version: number };
}

const layerArn = ({ tenant, region }: Pick<Asking, 'tenant' | 'region'>, named: string): string =>
  `arn:aws:lambda:${region}:${accountOf(tenant)}:layer:${named}`;

function described(asking: Asking, layer: LayerRecord): object {
  const { name, version, notes, createdAt } = layer;
  return {
    LayerVersionArn: layerArn(asking, layerReference({ name, version })),
    Version: version,
    Description: notes.description ?? '',
    CreatedDate: createdAt.replace('Z', '+0000'),
    CompatibleArchitectures: [hostArchitecture],
    ...(notes.runtimes === undefined ? {} : { CompatibleRuntimes: notes.runtimes }),
    ...(notes.license === undefined ? {} : { LicenseInfo: notes.license }),
  };
}

const whole = (asking: Asking, layer: LayerRecord): object => ({
  ...described(asking, layer),
  LayerArn: layerArn(asking, layer.name),
  Content: { CodeSha256: Buffer.from(layer.digest, 'hex').toString('base64'), CodeSize: layer.size },
});
