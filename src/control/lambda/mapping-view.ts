/** A mapping as Lambda's API describes it: what was said of it, and how its source does. Pure. */
import { accountOf } from '../../model/account.ts';
import type { SourceView } from '../../wire/source-calls.ts';
import { arnOf } from './configuration.ts';
import type { MappingRecord } from './lambda-record.ts';
import type { MappedSource } from './mapping-source.ts';
import type { Asking } from './operation.ts';

export interface MappingFacts {
  readonly mapped: MappedSource;
  /** Whether the version that serves has its source. */
  readonly isDeclared: boolean;
  /** Whether gateways and agents act on it. */
  readonly isPlaced: boolean;
  /** As the events role has it; undefined while it has none, or is away. */
  readonly source: SourceView | undefined;
}

export interface MappingState {
  readonly State: 'Creating' | 'Enabling' | 'Enabled' | 'Disabling' | 'Disabled' | 'Updating' | 'Deleting';
  readonly StateTransitionReason: string;
  readonly LastProcessingResult?: string;
}

const byUser = 'USER_INITIATED';

export function mappingState({ createdAt, changedAt, fields }: MappingRecord, facts: MappingFacts): MappingState {
  const { mapped, isDeclared, isPlaced, source } = facts;
  if (mapped.kind === 'unserved')
    return { State: 'Disabled', StateTransitionReason: mapped.reason, LastProcessingResult: `PROBLEM: ${mapped.reason}` };
  if (!isDeclared) {
    const StateTransitionReason = 'A deploy has left its source out; UpdateEventSourceMapping puts it back.';
    return { State: 'Disabled', StateTransitionReason };
  }
  if (fields.Enabled === false) return { State: isPlaced ? 'Disabled' : 'Disabling', StateTransitionReason: byUser };
  const isNew = createdAt === changedAt;
  switch (isPlaced ? source?.state : undefined) {
    case undefined:
      return { State: isNew ? 'Creating' : 'Updating', StateTransitionReason: byUser };
    case 'connecting':
    case 'disabled':
      return { State: isNew ? 'Creating' : 'Enabling', StateTransitionReason: byUser };
    case 'running':
      return { State: 'Enabled', StateTransitionReason: byUser, LastProcessingResult: resultOf(source) };
    case 'broken':
      return { State: 'Enabled', StateTransitionReason: byUser, LastProcessingResult: resultOf(source) };
    case 'paused':
      return { State: 'Disabled', StateTransitionReason: 'Paused by "swiftlet source pause".' };
  }
}

const resultOf = (source: SourceView | undefined): string => (source?.error === undefined ? 'OK' : `PROBLEM: ${source.error.message}`);

export const mappingArn = ({ tenant, region }: Pick<Asking, 'tenant' | 'region'>, uuid: string): string =>
  `arn:aws:lambda:${region}:${accountOf(tenant)}:event-source-mapping:${uuid}`;

/** `EventSourceMappingConfiguration`. */
export function mappingView(
  asking: Asking,
  name: string,
  { uuid, changedAt, fields }: MappingRecord,
  mapped: MappedSource,
  state: MappingState,
): object {
  const usual =
    mapped.kind === 'served'
      ? { BatchSize: mapped.source.batchSize, MaximumBatchingWindowInSeconds: Math.floor(mapped.source.batchWindowMs / 1_000) }
      : { BatchSize: 10, MaximumBatchingWindowInSeconds: 0 };
  return {
    ...usual,
    // What it says of itself is its state.
    ...fields,
    Enabled: undefined,
    ...kafkaGroup(mapped),
    UUID: uuid,
    EventSourceMappingArn: mappingArn(asking, uuid),
    FunctionArn: arnOf(asking, name),
    LastModified: Date.parse(changedAt) / 1_000,
    ...state,
  };
}

const kafkaGroup = (mapped: MappedSource): object =>
  mapped.kind === 'served' && mapped.source.origin.kind === 'kafka'
    ? { SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: mapped.source.consumer } }
    : {};
