/** How events are delivered that nobody waits for, as Lambda's API has it: a part of the function's configuration, `async` and `destinations`. */
import { z } from 'zod';
import { isDeepStrictEqual } from 'node:util';
import { functionReference } from '../../lambda/function-reference.ts';
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
import type { Destination } from '../../model/destination.ts';
import { asyncConfigSchema, type FunctionConfig } from '../../model/function.ts';
import { arnOf } from './configuration.ts';
import { fieldsOf } from './function-fields.ts';
import { type Asked, type Asking, functionName, type LambdaOperation, type OperationMeans, textIn } from './operation.ts';
import { presentFunction } from './present-function.ts';
import { reconfigure } from './publish.ts';

const configPath = `/2019-09-25/functions/${functionName}/event-invoke-config`;
const usual = asyncConfigSchema.parse({});

const destinationSchema = z.strictObject({ Destination: z.string().max(350).optional() });
const configSchema = z.strictObject({
  MaximumRetryAttempts: z.int().min(0).max(2).optional(),
  MaximumEventAgeInSeconds: z.int().min(60).max(21_600).optional(),
  DestinationConfig: z.strictObject({ OnSuccess: destinationSchema.optional(), OnFailure: destinationSchema.optional() }).optional(),
});
type Fields = z.output<typeof configSchema>;

export const eventInvokeOperations: readonly LambdaOperation[] = [
  { method: 'PUT', url: configPath, right: 'change', status: 200, run: put },
  { method: 'POST', url: configPath, right: 'change', status: 200, run: update },
  { method: 'GET', url: configPath, right: 'read', status: 200, run: get },
  { method: 'DELETE', url: configPath, right: 'change', status: 204, run: remove },
  { method: 'GET', url: `${configPath}/list`, right: 'read', status: 200, run: list },
];

async function put(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  demandUnqualified(asked);
  const { MaximumRetryAttempts: retries = usual.retries, MaximumEventAgeInSeconds: age, DestinationConfig: to = {} } = fieldsIn(asked);
  const maximumAgeMs = age === undefined ? usual.maximumAgeMs : age * 1_000;
  await reconfigure(means, asking, asked.name, ({ async }) => ({
    async: { ...async, retries, maximumAgeMs },
    destinations: destinationsOf(to),
  }));
  return view(means, asking, asked.name);
}

async function update(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  demandUnqualified(asked);
  const { MaximumRetryAttempts: retries, MaximumEventAgeInSeconds: age, DestinationConfig: to } = fieldsIn(asked);
  await view(means, asking, asked.name);
  await reconfigure(means, asking, asked.name, ({ async, destinations }) => ({
    async: {
      ...async,
      ...(retries === undefined ? {} : { retries }),
      ...(age === undefined ? {} : { maximumAgeMs: age * 1_000 }),
    },
    destinations: to === undefined ? destinations : { ...destinations, ...destinationsOf(to) },
  }));
  return view(means, asking, asked.name);
}

function get(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  demandUnqualified(asked);
  return view(means, asking, asked.name);
}

async function list(means: OperationMeans, asking: Asking, { name }: Asked): Promise<object> {
  const { config } = (await presentFunction(means, asking, name)).of.serving;
  return { FunctionEventInvokeConfigs: isUsual(config) ? [] : [await view(means, asking, name)] };
}

async function remove(means: OperationMeans, asking: Asking, asked: Asked): Promise<undefined> {
  demandUnqualified(asked);
  await view(means, asking, asked.name);
  const { retries, maximumAgeMs } = usual;
  await reconfigure(means, asking, asked.name, ({ async }) => ({ async: { ...async, retries, maximumAgeMs }, destinations: {} }));
  return undefined;
}

/** @throws LambdaError ResourceNotFoundException for a function whose events are delivered as any one's */
async function view(means: OperationMeans, asking: Asking, name: string): Promise<object> {
  const { config, createdAt } = (await presentFunction(means, asking, name)).of.serving;
  const FunctionArn = `${arnOf(asking, name)}:$LATEST`;
  if (isUsual(config)) throw new LambdaError('ResourceNotFoundException', `The function ${FunctionArn} doesn't have an EventInvokeConfig`);
  const { success, failure } = config.destinations;
  return {
    LastModified: Date.parse(createdAt) / 1_000,
    FunctionArn,
    MaximumRetryAttempts: config.async.retries,
    MaximumEventAgeInSeconds: Math.round(config.async.maximumAgeMs / 1_000),
    DestinationConfig: { OnSuccess: shown(asking, success), OnFailure: shown(asking, failure) },
  };
}

const isUsual = ({ async: { retries, maximumAgeMs }, destinations }: FunctionConfig): boolean =>
  isDeepStrictEqual({ retries, maximumAgeMs }, { retries: usual.retries, maximumAgeMs: usual.maximumAgeMs }) &&
  Object.keys(destinations).length === 0;

/** What is no function has no ARN here. */
const shown = (asking: Asking, to: Destination | undefined): object =>
  to?.kind === 'function' ? { Destination: arnOf(asking, to.function) } : {};

const destinationsOf = ({ OnSuccess: success, OnFailure: failure }: NonNullable<Fields['DestinationConfig']>): object => ({
  ...(success?.Destination === undefined ? {} : { success: functionAt(success.Destination) }),
  ...(failure?.Destination === undefined ? {} : { failure: functionAt(failure.Destination) }),
});

function functionAt(arn: string): Destination {
  if (!/^arn:aws[a-zA-Z-]*:lambda:/.test(arn))
    throw wrong(`DestinationConfig: a destination is a function's ARN here, not ${arn}; queues and webhooks are declared in the manifest`);
  return { kind: 'function', function: functionReference(arn, undefined).name };
}

const fieldsIn = ({ body }: Asked): Fields => fieldsOf(configSchema, body ?? {});

/** @throws LambdaError InvalidParameterValueException */
function demandUnqualified({ params, query }: Asked): void {
  const { qualifier } = functionReference(textIn(params, 'FunctionName') ?? '', textIn(query, 'Qualifier'));
  if (qualifier.kind !== 'latest') throw wrong('Qualifier: events are delivered by what serves here; leave it out');
}
