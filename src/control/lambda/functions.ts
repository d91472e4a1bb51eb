/** Functions of Lambda's API: each operation is a deploy, a look or a removal as by the control API, said in Lambda's words. */
import { createHash } from 'node:crypto';
import { functionReference } from '../../lambda/function-reference.ts';
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
import { lambdaPackage } from '../../model/limits.ts';
import { nameSchema } from '../../model/names.ts';
import { judge } from '../../model/rights.ts';
import type { FunctionRecord } from '../store.ts';
import { uploadMade } from '../upload.ts';
import { reservedOf } from './concurrency.ts';
import { revisionIdOf } from './configuration.ts';
import {
  createSchema,
  demandArchitecture,
  demandSupported,
  fieldsOf,
  updateCodeSchema,
  updateConfigurationSchema,
  zipOf,
} from './function-fields.ts';
import { type LambdaRecord, type SentPackage, usualRecord, withPackage } from './lambda-record.ts';
import {
  type Asked,
  type Asking,
  functionPath,
  functionsPath,
  type LambdaOperation,
  missing,
  type OperationMeans,
  textIn,
} from './operation.ts';
import { pageOf } from './page.ts';
import { describe, presentFunction, qualified } from './present-function.ts';
import { configOf, exists, publish } from './publish.ts';
import { bundleOfZip } from './zip-bundle.ts';

const defaults = { Timeout: 3, MemorySize: 128 } as const;

export const functionOperations: readonly LambdaOperation[] = [
  { method: 'POST', url: functionsPath, right: 'change', status: 201, showsValues: true, run: createFunction },
  { method: 'GET', url: functionsPath, right: 'read', status: 200, run: listFunctions },
  { method: 'GET', url: functionPath, right: 'read', status: 200, showsValues: true, run: getFunction },
  { method: 'GET', url: `${functionPath}/configuration`, right: 'read', status: 200, showsValues: true, run: getConfiguration },
  { method: 'PUT', url: `${functionPath}/code`, right: 'change', status: 200, showsValues: true, run: updateCode },
  { method: 'PUT', url: `${functionPath}/configuration`, right: 'change', status: 200, showsValues: true, run: updateConfiguration },
  { method: 'DELETE', url: functionPath, right: 'change', status: 204, run: deleteFunction },
];

async function createFunction(means: OperationMeans, asking: Asking, { name, body }: Asked): Promise<object> {
  const fields = fieldsOf(createSchema, body);
  const { Runtime: runtime, Handler: handler, Role: role, Description: description = '' } = fields;
  demandSupported(fields);
  demandName(name);
  demandArchitecture(fields.Architectures);
  if (runtime === undefined || handler === undefined)
    throw wrong('Runtime and Handler are mandatory parameters for functions created with deployment packages.');
  if (role === undefined) throw wrong('Role is a mandatory parameter.');
  if ((await means.store.findFunction(asking.tenant, name)) !== undefined) throw exists(name);
  const { sent, digest } = await take(means, asking.tenant, zipOf(fields.Code));
  // As on AWS it has no address for everybody before somebody says so.
  const config = configOf(asking, { url: 'token', awsSdk: 'auto' }, { ...defaults, ...fields });
  const tags = fields.Tags ?? {};
  const said = () => withPackage({ ...usualRecord, description, role, tags }, digest, sent);
  await publish(means, asking, name, { digest, config, said, expected: 'none' });
  return describeLatest(means, asking, name, fields.Publish);
}

async function updateCode(means: OperationMeans, asking: Asking, { name, body }: Asked): Promise<object> {
  const fields = fieldsOf(updateCodeSchema, body);
  demandArchitecture(fields.Architectures);
  const { of, record } = await presentFunction(means, asking, name);
  demandRevision(fields.RevisionId, of, record);
  const { sent, digest } = await take(means, asking.tenant, zipOf(fields));
  const { number: expected, config } = of.serving;
  const said = (before: LambdaRecord) => withPackage(before, digest, sent);
  if (!fields.DryRun) await publish(means, asking, name, { digest, config, said, expected });
  return describeLatest(means, asking, name, fields.Publish);
}

async function updateConfiguration(means: OperationMeans, asking: Asking, { name, body }: Asked): Promise<object> {
  const fields = fieldsOf(updateConfigurationSchema, body);
  demandSupported(fields);
  const { of, record } = await presentFunction(means, asking, name);
  demandRevision(fields.RevisionId, of, record);
  const { digest, config: before, number: expected } = of.serving;
  const { Description: description = record.description, Role: role = record.role } = fields;
  const config = configOf(asking, before, fields);
  const said = (present: LambdaRecord) => ({ ...present, description, role });
  await publish(means, asking, name, { digest, config, said, expected });
  return describeLatest(means, asking, name, false);
}

async function getConfiguration(means: OperationMeans, asking: Asking, { name, params, query }: Asked): Promise<object> {
  const present = await presentFunction(means, asking, name);
  const { qualifier } = functionReference(textIn(params, 'FunctionName') ?? '', textIn(query, 'Qualifier'));
  return describe(present, asking, await qualified(means, asking, name, qualifier));
}

async function getFunction(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  const present = await presentFunction(means, asking, asked.name);
  const { tags } = present.record;
  const reserved = reservedOf(present);
  return {
    Configuration: await getConfiguration(means, asking, asked),
    Code: { RepositoryType: 'Swiftlet' },
    ...(Object.keys(tags).length === 0 ? {} : { Tags: tags }),
    ...(Object.keys(reserved).length === 0 ? {} : { Concurrency: reserved }),
  };
}

async function listFunctions(means: OperationMeans, asking: Asking, { query }: Asked): Promise<object> {
  const { tenant, caller } = asking;
  const { limit, after } = pageOf(query);
  const found = await means.store.functions(tenant, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
  const page = found.slice(0, limit);
  const seen = page.filter(({ name }) => judge(caller, 'read', { kind: 'function', tenant, name }) === 'granted');
  const Functions = await Promise.all(seen.map(({ name }) => describeLatest(means, asking, name, false)));
  return { Functions, ...(found.length > limit ? { NextMarker: page.at(-1)?.name } : {}) };
}

async function deleteFunction(
  { store, logs, unforeseen }: OperationMeans,
  { tenant, requestId }: Asking,
  { name, query }: Asked,
): Promise<undefined> {
  if (textIn(query, 'Qualifier') !== undefined)
    throw wrong('Versions go by themselves here, once nothing refers to them; leave out Qualifier');
  if ((await store.remove(tenant, name)) === undefined) throw missing(name);
  // The function is gone whatever becomes of its log.
  logs.forget(tenant, name).catch((error: unknown) => unforeseen(error, requestId));
  return undefined;
}

async function describeLatest(means: OperationMeans, asking: Asking, name: string, isPublished: boolean): Promise<object> {
  const present = await presentFunction(means, asking, name);
  return describe(present, asking, isPublished ? present.of.serving : undefined);
}

/** Takes a package in: whole and checked. */
async function take(means: OperationMeans, tenant: string, zip: Buffer): Promise<{ readonly digest: string; readonly sent: SentPackage }> {
  if (zip.length > lambdaPackage.packedBytes)
    throw new LambdaError('RequestTooLargeException', `A package has at most ${lambdaPackage.packedBytes} bytes, zipped.`);
  const { digest } = await uploadMade(means, tenant, bundleOfZip(zip));
  return { digest, sent: { sha256: createHash('sha256').update(zip).digest('base64'), bytes: zip.length } };
}

function demandName(name: string): void {
  const parsed = nameSchema.safeParse(name);
  if (!parsed.success) throw wrong(`FunctionName: ${parsed.error.issues[0]?.message ?? 'is none'} here`);
}

/** @throws LambdaError PreconditionFailedException */
export function demandRevision(wanted: string | undefined, of: FunctionRecord, record: LambdaRecord): void {
  if (wanted === undefined || wanted === revisionIdOf(of, record)) return;
  throw new LambdaError(
    'PreconditionFailedException',
    'The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve the latest RevisionId for your resource.',
  );
}
