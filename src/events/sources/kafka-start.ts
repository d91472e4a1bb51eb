/** Where a consumer group begins that Kafka does not know yet, or not for all partitions. */
import type { StartPosition } from './source.ts';

/** What Kafka takes for a time. */
const latest = -1n;
const earliest = -2n;

export function timestampOf(start: StartPosition): bigint {
  switch (start.kind) {
    case 'earliest':
      return earliest;
    case 'latest':
      return latest;
    case 'at':
      return BigInt(start.atMs);
  }
}

export interface PartitionOffset {
  readonly partition: number;
  readonly offset: bigint;
}

/**
 * The places that are to be committed before anything is consumed: else a group that has consumed nothing when it breaks would begin
 * somewhere else the next time.
 * @param committed by partition; negative: none
 * @param begin by partition, as the start position has it; negative: nothing was sent since that time
 * @param end by partition: behind the last message
 */
export const placesToCommit = (
  committed: readonly bigint[],
  begin: readonly bigint[],
  end: readonly bigint[],
): readonly PartitionOffset[] =>
  end.flatMap((last, partition) => {
    if ((committed[partition] ?? -1n) >= 0n) return [];
    const first = begin[partition] ?? last;
    return [{ partition, offset: first >= 0n ? first : last }];
  });
