/** Function URLs of Lambda's API: the function's address at the gateway, and who may call it. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
import { functionsUrl } from '../api/functions-url.ts';
import { arnOf } from './configuration.ts';
import { fieldsOf } from './function-fields.ts';
import { invokeModes, type LambdaRecord, urlAuthTypes, type UrlRecord } from './lambda-record.ts';
import { type Asked, type Asking, changeRecord, functionName, type LambdaOperation, type OperationMeans, textIn } from './operation.ts';
import { presentFunction } from './present-function.ts';
import { reconfigure } from './publish.ts';
import { corsOf, type UrlCors, urlCorsSchema } from './url-cors.ts';

const urlPath = `/2021-10-31/functions/${functionName}/url`;
const shape = { Cors: urlCorsSchema.optional(), InvokeMode: z.enum(invokeModes).optional() };
const createSchema = z.strictObject({ ...shape, AuthType: z.enum(urlAuthTypes) });
const updateSchema = z.strictObject({ ...shape, AuthType: z.enum(urlAuthTypes).optional() });

export const urlOperations: readonly LambdaOperation[] = [
  { method: 'POST', url: urlPath, right: 'change', status: 201, run: create },
  { method: 'GET', url: urlPath, right: 'read', status: 200, run: get },
  { method: 'PUT', url: urlPath, right: 'change', status: 200, run: update },
  { method: 'DELETE', url: urlPath, right: 'change', status: 204, run: remove },
  { method: 'GET', url: `${urlPath}s`, right: 'read', status: 200, run: list },
];

async function create(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  demandUnqualified(asked);
  const { AuthType: authType, InvokeMode: invokeMode = 'BUFFERED', Cors: cors } = fieldsOf(createSchema, asked.body);
  const at = new Date(means.now()).toISOString();
  const { record: present } = await presentFunction(means, asking, asked.name);
  const made = (record: LambdaRecord): LambdaRecord => {
    if (record.url !== undefined)
      throw new LambdaError('ResourceConflictException', `FunctionUrlConfig exists for this Lambda function: ${asked.name}`);
    return { ...record, url: { authType, invokeMode, ...(cors === undefined ? {} : { cors }), createdAt: at, changedAt: at } };
  };
  made(present);
  await change(means, asking, asked.name, cors, made);
  return get(means, asking, asked);
}

async function update(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  demandUnqualified(asked);
  const { AuthType, InvokeMode, Cors } = fieldsOf(updateSchema, asked.body);
  const before = urlOf((await presentFunction(means, asking, asked.name)).record);
  const cors = Cors ?? before.cors;
  await change(means, asking, asked.name, cors, (record) => {
    const { authType, invokeMode, createdAt } = urlOf(record);
    const said = { authType: AuthType ?? authType, invokeMode: InvokeMode ?? invokeMode, ...(cors === undefined ? {} : { cors }) };
    return { ...record, url: { ...said, createdAt, changedAt: new Date(means.now()).toISOString() } };
  });
  return get(means, asking, asked);
}

/** Who answers to which origin, and whether answers are sent whole, is a part of the configuration: another one makes a version. */
async function change(
  means: OperationMeans,
  asking: Asking,
  name: string,
  said: UrlCors | undefined,
  record: (before: LambdaRecord) => LambdaRecord,
): Promise<void> {
  const { of, record: present } = await presentFunction(means, asking, name);
  const { cors, invokeMode } = of.serving.config;
  const wanted = {
    // What a manifest says of it stays, unless the address says something itself.
    cors: said !== undefined || present.url?.cors !== undefined ? corsOf(said) : cors,
    invokeMode: record(present).url?.invokeMode === 'BUFFERED' ? 'buffered' : undefined,
  };
  if (!isDeepStrictEqual(wanted, { cors, invokeMode })) await reconfigure(means, asking, name, () => wanted);
  await changeRecord(means, asking, name, record);
}

async function get(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  demandUnqualified(asked);
  const { record } = await presentFunction(means, asking, asked.name);
  return view(means, asking, asked.name, record);
}

async function list(means: OperationMeans, asking: Asking, { name }: Asked): Promise<object> {
  const { record } = await presentFunction(means, asking, name);
  return { FunctionUrlConfigs: record.url === undefined ? [] : [view(means, asking, name, record)] };
}

async function remove(means: OperationMeans, asking: Asking, asked: Asked): Promise<undefined> {
  demandUnqualified(asked);
  urlOf((await presentFunction(means, asking, asked.name)).record);
  await change(means, asking, asked.name, undefined, ({ url, ...record }) => {
    if (url === undefined) throw none();
    return record;
  });
  return undefined;
}

function view({ config }: OperationMeans, asking: Asking, name: string, record: LambdaRecord): object {
  const { authType, invokeMode, cors, createdAt, changedAt } = urlOf(record);
  return {
    FunctionUrl: `${functionsUrl(config, asking.tenant)}/${name}/`,
    FunctionArn: arnOf(asking, name),
    AuthType: authType,
    CreationTime: createdAt,
    LastModifiedTime: changedAt,
    InvokeMode: invokeMode,
    ...(cors === undefined ? {} : { Cors: cors }),
  };
}

/** @throws LambdaError ResourceNotFoundException */
function urlOf({ url }: LambdaRecord): UrlRecord {
  if (url === undefined) throw none();
  return url;
}

const none = (): LambdaError => new LambdaError('ResourceNotFoundException', 'The resource you requested does not exist.');

/** @throws LambdaError InvalidParameterValueException */
function demandUnqualified({ query }: Asked): void {
  if (textIn(query, 'Qualifier') !== undefined)
    throw wrong('Qualifier: an alias has its address by its name here, <function>:<alias>; leave it out');
}
