/** Concurrency of Lambda's API, reserved and provisioned: how many instances a function has at most and at least; with none reserved it takes no requests. */
import { z } from 'zod';
import { functionReference } from '../../lambda/function-reference.ts';
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
import type { FunctionConfig } from '../../model/function.ts';
import { instances } from '../../model/limits.ts';
import { liveAlias } from '../../model/traffic.ts';
import { arnOf } from './configuration.ts';
import { fieldsOf } from './function-fields.ts';
import { type Asked, type Asking, functionName, type LambdaOperation, type OperationMeans, textIn } from './operation.ts';
import { type PresentFunction, presentFunction } from './present-function.ts';
import { reconfigure } from './publish.ts';

const reservedPath = `/2017-10-31/functions/${functionName}/concurrency`;
const provisionedPath = `/2019-09-30/functions/${functionName}/provisioned-concurrency`;
const reservedSchema = z.strictObject({ ReservedConcurrentExecutions: z.int().min(0) });
const provisionedSchema = z.strictObject({ ProvisionedConcurrentExecutions: z.int().min(1) });

export const concurrencyOperations: readonly LambdaOperation[] = [
  { method: 'PUT', url: reservedPath, right: 'change', status: 200, run: putReserved },
  { method: 'GET', url: `/2019-09-30/functions/${functionName}/concurrency`, right: 'read', status: 200, run: getReserved },
  { method: 'DELETE', url: reservedPath, right: 'change', status: 204, run: deleteReserved },
  { method: 'PUT', url: provisionedPath, right: 'change', status: 202, run: putProvisioned },
  { method: 'GET', url: provisionedPath, right: 'read', status: 200, run: getProvisioned },
  { method: 'DELETE', url: provisionedPath, right: 'change', status: 204, run: deleteProvisioned },
];

async function putReserved(means: OperationMeans, asking: Asking, { name, body }: Asked): Promise<object> {
  const { ReservedConcurrentExecutions: wanted } = fieldsOf(reservedSchema, body);
  const { concurrency, maximum } = await reconfigure(means, asking, name, (config) =>
    wanted === 0 ? stopped(config) : { ...going(config), maximum: Math.ceil(wanted / config.concurrency) },
  );
  return { ReservedConcurrentExecutions: wanted === 0 ? 0 : maximum * concurrency };
}

async function getReserved(means: OperationMeans, asking: Asking, { name }: Asked): Promise<object> {
  return reservedOf(await presentFunction(means, asking, name));
}

/** Empty for a function that has what any has. */
export const reservedOf = ({ of: { serving } }: Pick<PresentFunction, 'of'>): { readonly ReservedConcurrentExecutions?: number } => {
  const { maximum, concurrency } = serving.config;
  if (isStopped(serving.config)) return { ReservedConcurrentExecutions: 0 };
  return maximum === instances.default ? {} : { ReservedConcurrentExecutions: maximum * concurrency };
};

async function deleteReserved(means: OperationMeans, asking: Asking, { name }: Asked): Promise<undefined> {
  await reconfigure(means, asking, name, (config) => ({ ...going(config), maximum: instances.default }));
  return undefined;
}

const isStopped = ({ protect }: FunctionConfig): boolean => protect.reservedConcurrency === 0;
const stopped = ({ protect }: FunctionConfig): Partial<FunctionConfig> => ({ protect: { ...protect, reservedConcurrency: 0 } });
const going = (config: FunctionConfig): Partial<FunctionConfig> =>
  isStopped(config) ? { protect: { ...config.protect, reservedConcurrency: undefined } } : {};

async function putProvisioned(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  demandLive(asked);
  const { ProvisionedConcurrentExecutions: wanted } = fieldsOf(provisionedSchema, asked.body);
  await reconfigure(means, asking, asked.name, ({ concurrency }) => ({ minimum: Math.ceil(wanted / concurrency) }));
  return provisionedOf(await presentFunction(means, asking, asked.name));
}

async function getProvisioned(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  const present = await presentFunction(means, asking, asked.name);
  const { minimum } = present.of.serving.config;
  if (textIn(asked.query, 'List') === 'ALL') {
    const FunctionArn = `${arnOf(asking, asked.name)}:${liveAlias}`;
    return { ProvisionedConcurrencyConfigs: minimum === 0 ? [] : [{ FunctionArn, ...provisionedOf(present) }] };
  }
  demandLive(asked);
  if (minimum > 0) return provisionedOf(present);
  throw new LambdaError('ProvisionedConcurrencyConfigNotFoundException', 'No Provisioned Concurrency Config found for this function');
}

async function deleteProvisioned(means: OperationMeans, asking: Asking, asked: Asked): Promise<undefined> {
  demandLive(asked);
  await reconfigure(means, asking, asked.name, () => ({ minimum: 0 }));
  return undefined;
}

/** A version is placed when its provisioned instances are there. */
function provisionedOf({ of: { serving }, isPlaced }: PresentFunction): object {
  const { minimum, concurrency } = serving.config;
  const requested = minimum * concurrency;
  const ready = isPlaced ? requested : 0;
  return {
    RequestedProvisionedConcurrentExecutions: requested,
    AvailableProvisionedConcurrentExecutions: ready,
    AllocatedProvisionedConcurrentExecutions: ready,
    Status: isPlaced ? 'READY' : 'IN_PROGRESS',
    LastModified: serving.createdAt.replace('Z', '+0000'),
  };
}

/** @throws LambdaError InvalidParameterValueException */
function demandLive({ params, query }: Asked): void {
  const { qualifier } = functionReference(textIn(params, 'FunctionName') ?? '', textIn(query, 'Qualifier'));
  if (qualifier.kind !== 'alias' || qualifier.name !== liveAlias)
    throw wrong(`Qualifier: instances are kept for what serves, which is the alias "${liveAlias}" here`);
}
