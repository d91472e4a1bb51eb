/** An operation of Lambda's API that control carries out. */
import { LambdaError } from '../../lambda/lambda-error.ts';
import type { Caller, Right } from '../../model/rights.ts';
import type { ApiMeans } from '../api/api.ts';
import type { LambdaRecord } from './lambda-record.ts';

/** How long a change waits for gateways to act on it. */
const placeLimitMs = 5_000;

export type OperationMeans = Pick<
  ApiMeans,
  'config' | 'store' | 'blobs' | 'artifactTurns' | 'builtInLayers' | 'publisher' | 'made' | 'logs' | 'roles' | 'now' | 'unforeseen'
>;

/** Whose request it is. */
export interface Asking {
  readonly tenant: string;
  readonly caller: Caller;
  /** Of the signature. */
  readonly region: string;
  readonly requestId: string;
  /** Whether it is shown the values of the environment. */
  readonly seesValues: boolean;
}

/** What it asks for. */
export interface Asked {
  /** The function's name; empty when it is about none. */
  readonly name: string;
  readonly params: unknown;
  readonly query: unknown;
  /** JSON, parsed; undefined for none. */
  readonly body: unknown;
}

export interface LambdaOperation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  /** Demanded before it runs: to the function, or to some function when it is about none. */
  readonly right: Right;
  /** It is about what is of no single function: a right to some of them is not enough. */
  readonly about?: 'tenant';
  readonly status: number;
  /** Whether it shows the values of the environment to those who may change the function; absent: to nobody. */
  readonly showsValues?: boolean;
  /** @throws LambdaError, SwiftletError */
  readonly run: (means: OperationMeans, asking: Asking, asked: Asked) => Promise<object | undefined>;
}

/** Where all of it lies. */
export const functionsPath = '/2015-03-31/functions';
/** The part of a path that names the function: a name, or all or a part of an ARN. */
export const functionName = ':FunctionName';
export const functionPath = `${functionsPath}/${functionName}`;

/**
 * Changes what is said of a function, and waits until gateways act on it.
 * @throws LambdaError ResourceNotFoundException, and what `decide` throws
 */
export async function changeRecord(
  { store, publisher }: OperationMeans,
  { tenant }: Asking,
  name: string,
  decide: (record: LambdaRecord) => LambdaRecord,
): Promise<void> {
  const revision = await store.lambda.change(tenant, name, decide);
  if (revision === undefined) throw missing(name);
  await publisher.placed(revision, placeLimitMs);
}

export const missing = (name: string, why = ''): LambdaError =>
  new LambdaError('ResourceNotFoundException', `Function not found: ${name}${why}`);

/** A text among the members of what came; undefined when there is none of that name. */
export function textIn(values: unknown, key: string): string | undefined {
  if (typeof values !== 'object' || values === null || !Object.hasOwn(values, key)) return undefined;
  const value: unknown = values[key as keyof typeof values];
  return typeof value === 'string' ? value : undefined;
}
