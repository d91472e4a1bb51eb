/** Function URLs of Lambda's API: the function's address at the gateway, and who may call it. */
import { z } from 'zod';
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
import { functionsUrl } from '../api/functions-url.ts';
import { arnOf } from './configuration.ts';
import { fieldsOf } from './function-fields.ts';
import { type LambdaRecord, urlAuthTypes } from './lambda-record.ts';
import { type Asked, type Asking, changeRecord, functionName, type LambdaOperation, type OperationMeans, textIn } from './operation.ts';
import { presentFunction } from './present-function.ts';

const urlPath = `/2021-10-31/functions/${functionName}/url`;
/** Taken as long as it says what holds anyway: who answers to which origin is the function's own to say. */
const corsSchema = z.strictObject({}).optional();
const shape = { Cors: corsSchema, InvokeMode: z.enum(['BUFFERED', 'RESPONSE_STREAM']).optional() };
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
  const { AuthType: authType } = fieldsOf(createSchema, asked.body);
  const at = new Date(means.now()).toISOString();
  await changeRecord(means, asking, asked.name, (record) => {
    if (record.url !== undefined)
      throw new LambdaError('ResourceConflictException', `FunctionUrlConfig exists for this Lambda function: ${asked.name}`);
    return { ...record, url: { authType, createdAt: at, changedAt: at } };
  });
  return get(means, asking, asked);
}

async function update(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  demandUnqualified(asked);
  const { AuthType: wanted } = fieldsOf(updateSchema, asked.body);
  await changeRecord(means, asking, asked.name, (record) => {
    const { authType, createdAt } = urlOf(record);
    return { ...record, url: { authType: wanted ?? authType, createdAt, changedAt: new Date(means.now()).toISOString() } };
  });
  return get(means, asking, asked);
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
  await changeRecord(means, asking, asked.name, ({ url, ...record }) => {
    if (url === undefined) throw none();
    return record;
  });
  return undefined;
}

function view({ config }: OperationMeans, asking: Asking, name: string, record: LambdaRecord): object {
  const { authType, createdAt, changedAt } = urlOf(record);
  return {
    FunctionUrl: `${functionsUrl(config, asking.tenant)}/${name}/`,
    FunctionArn: arnOf(asking, name),
    AuthType: authType,
    CreationTime: createdAt,
    LastModifiedTime: changedAt,
    // What the function streams is streamed, what it returns as a whole comes as a whole.
    InvokeMode: 'RESPONSE_STREAM',
  };
}

/** @throws LambdaError ResourceNotFoundException */
function urlOf({ url }: LambdaRecord): NonNullable<LambdaRecord['url']> {
  if (url === undefined) throw none();
  return url;
}

const none = (): LambdaError => new LambdaError('ResourceNotFoundException', 'The resource you requested does not exist.');

/** @throws LambdaError InvalidParameterValueException */
function demandUnqualified({ query }: Asked): void {
  if (textIn(query, 'Qualifier') !== undefined)
    throw wrong('Qualifier: an alias has its address by its name here, <function>:<alias>; leave it out');
}
