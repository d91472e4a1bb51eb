/** Objects of an S3-compatible bucket: created, overwritten, removed. */
import { AwsClient } from 'aws4fetch';
import { SwiftletError } from '../../model/errors.ts';
import type { S3Source as S3Settings } from '../../model/sources/s3.ts';
import { errorText, sourceFault } from './fault.ts';
import type { ListedObject } from './object-changes.ts';
import { type ObjectPlace, openObjectSource } from './object-source.ts';
import { demandOrder, errorCodeOf, type ListPage, listPageOf } from './s3-listing.ts';
import type { SourceKind } from './source.ts';

const answerLimitMs = 10_000;
/** A page of a thousand objects, and room. */
const largestAnswer = 16 * 1024 * 1024;

export const sourceKind: SourceKind<S3Settings> = {
  driver: (settings, means) => ({
    keepsMessages: true,
    dataKey: undefined,
    async open(signal) {
      signal.throwIfAborted();
      const secretKey = means.secret(settings.secretKeyVariable);
      return openObjectSource(placeOf(settings, secretKey), settings.pollMs, means, signal);
    },
    eventOf: (messages) => ({ Records: messages.map((message) => message.record()) }),
  }),
};

function placeOf(settings: S3Settings, secretAccessKey: string): ObjectPlace {
  const { accessKey, region, bucket, address, prefix } = settings;
  const client = new AwsClient({ accessKeyId: accessKey, secretAccessKey, region, service: 's3', retries: 0 });
  return {
    kind: 's3',
    name: bucket,
    identity: JSON.stringify([address, bucket, prefix]),
    tickMs: 1_000,
    list: (signal) => objectsOf(client, settings, signal),
  };
}

/** A page is asked for when the one before was taken. @throws SwiftletError */
async function* objectsOf(client: AwsClient, settings: S3Settings, signal: AbortSignal): AsyncGenerator<ListedObject> {
  let last: string | undefined;
  for (let from: string | undefined = ''; from !== undefined; ) {
    const page: ListPage = understood(settings, last, await askFor(client, settings, from, signal));
    yield* page.objects;
    last = page.objects.at(-1)?.key ?? last;
    from = page.next;
  }
}

/** @param from what the page before said; empty: the first @throws SwiftletError */
async function askFor(client: AwsClient, settings: S3Settings, from: string, signal: AbortSignal): Promise<string> {
  const url = new URL(`${settings.address.replace(/\/$/, '')}/${settings.bucket}`);
  const query = { 'list-type': '2', 'encoding-type': 'url', prefix: settings.prefix, 'continuation-token': from };
  for (const [name, value] of Object.entries(query)) if (value !== '') url.searchParams.set(name, value);
  const { status, text } = await answerTo(client, url, settings, signal);
  if (status !== 200) throw refusalOf(settings, status, text);
  return text;
}

/** @param last the last key of the page before @throws SwiftletError */
function understood(settings: S3Settings, last: string | undefined, text: string): ListPage {
  try {
    const page = listPageOf(text);
    demandOrder(page.objects, last);
    return page;
  } catch (error) {
    throw sourceFault('SourceInvalid', `${placeText(settings)} cannot be consumed by its lists`, error);
  }
}

async function answerTo(client: AwsClient, url: URL, settings: S3Settings, signal: AbortSignal): Promise<{ status: number; text: string }> {
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(answerLimitMs)]);
    // What is signed for one server is not sent to another.
    const response = await client.fetch(url, { signal: limited, redirect: 'manual' });
    return { status: response.status, text: await textOf(response) };
  } catch (error) {
    // fetch says what happened in the cause of what it throws.
    const cause = error instanceof Error && error.cause !== undefined ? `: ${errorText(error.cause)}` : '';
    throw new SwiftletError('SourceUnreachable', `${placeText(settings)} cannot be listed: ${errorText(error)}${cause}`, { cause: error });
  }
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const pieces: AsyncIterable<Uint8Array> | undefined = body ?? undefined;
  for await (const chunk of pieces ?? []) {
    bytes += chunk.length;
    if (bytes > largestAnswer) throw new Error(`its answer is over ${String(largestAnswer)} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function refusalOf(settings: S3Settings, status: number, text: string): SwiftletError {
  const at = placeText(settings);
  const said = `${String(status)} ${errorCodeOf(text)}`.trim();
  if (status === 401 || status === 403) return new SwiftletError('SourceRefused', `${at} is not open to this access key (${said})`);
  if (status === 404) return new SwiftletError('SourceMissing', `${at} is not there (${said})`);
  if (status < 500 && status !== 429)
    return new SwiftletError('SourceInvalid', `${at} cannot be listed (${said}); look at its address and region`);
  return new SwiftletError('SourceUnreachable', `${at} cannot be listed now (${said})`);
}

const placeText = ({ bucket, address }: S3Settings): string => `the bucket "${bucket}" at ${address}`;
