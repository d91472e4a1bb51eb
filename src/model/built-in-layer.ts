/** Layers that the platform makes by itself where they are first wanted: what AWS Lambda has at hand, and its functions count on. */
import type { BuildRuntimeName } from './runtimes.ts';

export const builtInLayerNames = ['aws-sdk-v3', 'boto3'] as const;
export type BuiltInLayerName = (typeof builtInLayerNames)[number];

export const isBuiltInLayer = (text: string): text is BuiltInLayerName => builtInLayerNames.some((name) => name === text);

/** Which of them code of a runtime counts on, when it was written for AWS Lambda. */
export const sdkOf = (runtime: BuildRuntimeName): BuiltInLayerName => (runtime === 'python3' ? 'boto3' : 'aws-sdk-v3');
