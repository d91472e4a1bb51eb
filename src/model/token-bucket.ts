/** A budget that fills steadily up to a burst. */
export interface TokenBucket {
  readonly tokens: number;
  readonly at: number;
}

export interface BucketRate {
  readonly perSecond: number;
  readonly burst: number;
}

const milliseconds = 1000;

/** Takes up to `wanted`. @param now milliseconds @returns what was granted, and the bucket afterwards */
export function takeTokens(
  bucket: TokenBucket,
  { perSecond, burst }: BucketRate,
  wanted: number,
  now: number,
): { granted: number; bucket: TokenBucket } {
  const filled = Math.min(burst, bucket.tokens + ((now - bucket.at) * perSecond) / milliseconds);
  const granted = Math.min(wanted, Math.floor(filled));
  return { granted, bucket: { tokens: filled - granted, at: now } };
}

/** After how many milliseconds a bucket has a token again; 0 when it has one. */
export const refillMs = ({ tokens }: TokenBucket, { perSecond }: BucketRate): number =>
  tokens >= 1 ? 0 : ((1 - tokens) / perSecond) * milliseconds;
