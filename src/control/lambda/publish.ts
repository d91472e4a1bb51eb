/** A change of a function by Lambda's API: a version that takes over at once. */
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
import { type FunctionConfig, functionConfigSchema } from '../../model/function.ts';
import { defaultPlan } from '../../model/rollout.ts';
import { deploy } from '../deploy.ts';
import { type ConfigurationFields, runtimeOf, variablesOf } from './function-fields.ts';
import type { LambdaRecord } from './lambda-record.ts';
import { layersOf } from './layers.ts';
import type { Asking, OperationMeans } from './operation.ts';
import { presentFunction } from './present-function.ts';

export interface Publication {
  readonly digest: string;
  readonly config: FunctionConfig;
  /** What Lambda's API says of it from then on. */
  readonly said: (before: LambdaRecord) => LambdaRecord;
  readonly expected: number | 'none';
}

/** Another change that came in between is a conflict, as on AWS. */
export async function publish(
  means: OperationMeans,
  { tenant }: Asking,
  name: string,
  { digest, config, said, expected }: Publication,
): Promise<void> {
  const createdAt = new Date(means.now()).toISOString();
  const { lacks } = await deploy(means, { tenant, function: name, digest, config, createdAt, expected, plan: defaultPlan }).catch(
    (error: unknown) => {
      const isStale = error instanceof Error && 'code' in error && error.code === 'PreconditionFailed';
      throw isStale ? (expected === 'none' ? exists(name) : updating(name, error)) : error;
    },
  );
  await means.store.lambda.change(tenant, name, (before) => {
    const record = { ...said(before) };
    delete record.lacks;
    return lacks === undefined ? record : { ...record, lacks };
  });
}

/**
 * Changes what a function is configured with, and leaves its code.
 * @throws LambdaError ResourceNotFoundException, InvalidParameterValueException, ResourceConflictException
 */
export async function reconfigure(
  means: OperationMeans,
  asking: Asking,
  name: string,
  change: (config: FunctionConfig) => object,
  said: Publication['said'] = (before) => before,
): Promise<FunctionConfig> {
  const { serving } = (await presentFunction(means, asking, name)).of;
  const config = valid({ ...serving.config, ...change(serving.config) });
  await publish(means, asking, name, { digest: serving.digest, config, said, expected: serving.number });
  return config;
}

/** @throws LambdaError InvalidParameterValueException */
export function configOf(asking: Asking, before: Partial<FunctionConfig>, fields: ConfigurationFields): FunctionConfig {
  const { Handler: handler, Runtime: runtime, Timeout: seconds, MemorySize: memoryMiB, Layers: layers } = fields;
  const environment = variablesOf(fields.Environment);
  return valid({
    ...before,
    ...(handler === undefined ? {} : { handler }),
    ...(runtime === undefined ? {} : { runtime: runtimeOf(runtime) }),
    ...(seconds === undefined ? {} : { timeoutMs: seconds * 1_000 }),
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    ...(environment === undefined ? {} : { environment }),
    ...(layers === undefined ? {} : { layers: layersOf(asking, layers) }),
  });
}

function valid(config: object): FunctionConfig {
  const parsed = functionConfigSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrong(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}`, parsed.error);
}

export const exists = (name: string): LambdaError => new LambdaError('ResourceConflictException', `Function already exist: ${name}`);

const updating = (name: string, cause: unknown): LambdaError =>
  new LambdaError('ResourceConflictException', `The operation cannot be performed at this time: another update of ${name} came first.`, {
    cause,
  });
