/** A function as Lambda's API describes it. Pure. */
import { accountOf } from '../../model/account.ts';
import { scratchBytes } from '../../model/limits.ts';
import type { FunctionRecord } from '../store.ts';
import { lambdaNameOf } from '../../model/lambda-runtimes.ts';
import { type LambdaRecord, packageOf } from './lambda-record.ts';
import type { Asking } from './operation.ts';
import { revisionId } from './revision-id.ts';

const mebibyte = 1024 * 1024;

export interface Described {
  readonly of: FunctionRecord;
  readonly record: LambdaRecord;
  readonly description: string;
  /** Without a qualifier. */
  readonly arn: string;
  /** `$LATEST`, or a number. */
  readonly version: string;
  /** Whether gateways and agents act on it. */
  readonly isPlaced: boolean;
  /** Whether the caller may see the values of the environment. */
  readonly showsValues: boolean;
}

export const arnOf = ({ tenant, region }: Pick<Asking, 'tenant' | 'region'>, name: string): string =>
  `arn:aws:lambda:${region}:${accountOf(tenant)}:function:${name}`;

export const revisionIdOf = (
  { serving: { tenant, function: name, number } }: FunctionRecord,
  { description, role }: LambdaRecord,
): string => revisionId({ tenant, name, number, description, role });

/** `FunctionConfiguration`. */
export function configurationOf({ of, record, description, arn, version, isPlaced, showsValues }: Described): object {
  const { name, serving } = of;
  const { config, createdAt } = serving;
  const sent = packageOf(record, serving);
  const state = isPlaced
    ? {
        State: 'Active',
        LastUpdateStatus: 'Successful',
        ...(record.lacks === undefined ? {} : { LastUpdateStatusReason: record.lacks }),
      }
    : {
        State: 'Pending',
        StateReason: 'Not every gateway and agent acts on it yet.',
        StateReasonCode: 'Creating',
        LastUpdateStatus: 'InProgress',
        LastUpdateStatusReason: record.lacks ?? 'Not every gateway and agent acts on it yet.',
      };
  return {
    FunctionName: name,
    FunctionArn: version === '$LATEST' ? arn : `${arn}:${version}`,
    Runtime: lambdaNameOf(config.runtime),
    Role: record.role,
    Handler: config.handler,
    CodeSize: sent.bytes,
    Description: description,
    Timeout: Math.max(1, Math.ceil(config.timeoutMs / 1_000)),
    MemorySize: config.memoryMiB,
    LastModified: createdAt.replace('Z', '+0000'),
    CodeSha256: sent.sha256,
    Version: version,
    ...environmentOf(config.environment, showsValues),
    TracingConfig: { Mode: 'PassThrough' },
    RevisionId: revisionIdOf(of, record),
    ...state,
    PackageType: 'Zip',
    Architectures: [record.architecture],
    EphemeralStorage: { Size: scratchBytes / mebibyte },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: { LogFormat: 'Text', LogGroup: `/swiftlet/${name}` },
  };
}

/** Who may change a function may see its values; others are told what AWS tells those who may not decrypt them. */
function environmentOf(variables: Readonly<Record<string, string>>, showsValues: boolean): object {
  if (Object.keys(variables).length === 0) return {};
  if (showsValues) return { Environment: { Variables: variables } };
  const Message = 'GetFunctionConfiguration shows the values of the environment, to keys that may change the function.';
  return { Environment: { Error: { ErrorCode: 'AccessDeniedException', Message } } };
}
