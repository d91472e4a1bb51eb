/** A function as it is now, and as Lambda's API describes it or one of its versions. */
import type { Qualifier } from '../../lambda/function-reference.ts';
import type { Version } from '../../model/function.ts';
import { mainVersion } from '../../model/traffic.ts';
import type { FunctionRecord } from '../store.ts';
import { aliasesOf } from '../traffic.ts';
import { arnOf, configurationOf } from './configuration.ts';
import { type LambdaRecord, usualRecord } from './lambda-record.ts';
import { layersAs } from './layers.ts';
import { type Asking, missing, type OperationMeans } from './operation.ts';

export interface PresentFunction {
  readonly of: FunctionRecord;
  readonly record: LambdaRecord;
  /** Whether gateways and agents act on it. */
  readonly isPlaced: boolean;
}

/** @throws LambdaError ResourceNotFoundException */
export async function presentFunction({ store, publisher }: OperationMeans, { tenant }: Asking, name: string): Promise<PresentFunction> {
  const of = await store.findFunction(tenant, name);
  if (of === undefined) throw missing(name);
  const record = (await store.lambda.find(tenant, name)) ?? usualRecord;
  return { of, record, isPlaced: await publisher.placed(publisher.state.revision, 0) };
}

/** @param version absent: what serves, as `$LATEST` */
export function describe({ of, record, isPlaced }: PresentFunction, { tenant, region, seesValues }: Asking, version?: Version): object {
  const configuration = configurationOf({
    of: version === undefined ? of : { ...of, serving: version },
    record,
    description: (version === undefined ? undefined : record.versions[version.number]) ?? record.description,
    arn: arnOf({ tenant, region }, of.name),
    version: version === undefined ? '$LATEST' : String(version.number),
    isPlaced,
    showsValues: seesValues,
  });
  return { ...configuration, ...layersAs({ tenant, region }, (version ?? of.serving).config.layers) };
}

/**
 * The version that a qualifier names; of several that an alias divides requests among, the one that gets most.
 * @returns undefined for what serves
 * @throws LambdaError ResourceNotFoundException
 */
export async function qualified(
  { store }: OperationMeans,
  { tenant }: Asking,
  name: string,
  qualifier: Qualifier,
): Promise<Version | undefined> {
  if (qualifier.kind === 'latest') return undefined;
  const traffic = await store.traffic(tenant, name);
  if (traffic === undefined) throw missing(name);
  const pointer = qualifier.kind === 'alias' ? aliasesOf(traffic).find(([alias]) => alias === qualifier.name)?.[1] : undefined;
  const number = qualifier.kind === 'version' ? qualifier.number : pointer === undefined ? undefined : mainVersion(pointer.versions);
  const version = (await store.versions(tenant, name)).find((one) => one.number === number);
  if (version === undefined)
    throw missing(name, ` (it has no ${qualifier.kind} ${qualifier.kind === 'version' ? qualifier.number : qualifier.name})`);
  return version;
}
