/** Building on the platform, as the CLI asks for it. */
import { type BuildRequest, type Built, buildRecordSchema } from '../model/build.ts';
import { isErrorCode, SwiftletError } from '../model/errors.ts';
import { readLines } from '../wire/lines.ts';
import type { ApiClient } from './api-client.ts';
import { RemoteError } from './failure.ts';

const maxLineBytes = 1024 * 1024;

/**
 * Waits for a build.
 * @param said is called with every line of its output
 * @throws SwiftletError with the code that it failed with, Unavailable when the platform went away meanwhile
 */
export async function buildOnPlatform(api: ApiClient, request: BuildRequest, said: (line: string) => void): Promise<Built> {
  const response = await api.call('POST', '/v1/builds', {
    body: JSON.stringify(request),
    headers: { 'content-type': 'application/json' },
  });
  if (response.body === null) throw brokeOff(undefined);
  try {
    for await (const line of readLines(response.body, maxLineBytes)) {
      if (line.length === 0) continue;
      const record = buildRecordSchema.parse(JSON.parse(line.toString()));
      if ('log' in record) said(record.log);
      else if ('built' in record) return record.built;
      else throw failure(record.failed);
    }
  } catch (error) {
    if (error instanceof SwiftletError) throw error;
    throw brokeOff(error);
  }
  throw brokeOff(undefined);
}

const failure = ({ code, detail, requestId }: { code: string; detail: string; requestId: string }): SwiftletError =>
  new RemoteError(isErrorCode(code) ? code : 'Internal', detail, requestId);

const brokeOff = (cause: unknown): SwiftletError =>
  new SwiftletError('Unavailable', 'the platform went away in the middle of the build; deploy again', { cause });
