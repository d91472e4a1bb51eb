/** A whole platform, with clients of Lambda's API whose keys the CLI makes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LambdaClient, LambdaServiceException } from '@aws-sdk/client-lambda';
import { type E2e, openE2e } from './functions.ts';

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
export const region = 'eu-central-1';

export interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The same, as other doors take it. */
  readonly token: string;
}

export interface LambdaUnderTest extends AsyncDisposable {
  readonly e2e: E2e;
  /** What the command prints. */
  swiftlet(...words: string[]): Promise<string>;
  /** Makes a key: `--role invoker --function f`. */
  key(...words: string[]): Promise<Key>;
  /** Ends with the platform. */
  client(key: Key): LambdaClient;
}

export const openLambda = async (): Promise<LambdaUnderTest> => lambdaOf(await openE2e());

/** Of a platform that is there. */
export function lambdaOf(e2e: E2e): LambdaUnderTest {
  const clients: LambdaClient[] = [];
  const swiftlet: LambdaUnderTest['swiftlet'] = async (...words) => {
    const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' };
    return (await promisify(execFile)(process.execPath, [cli, ...words], { env, cwd: e2e.platform.home })).stdout.trim();
  };
  return {
    e2e,
    swiftlet,
    key: async (...words) => JSON.parse(await swiftlet('credentials', 'create', 'test', '--json', ...words)) as Key,
    client(credentials) {
      const made = new LambdaClient({ endpoint: e2e.platform.lambdaUrl, region, credentials, maxAttempts: 1 });
      clients.push(made);
      return made;
    },
    async [Symbol.asyncDispose]() {
      for (const made of clients) made.destroy();
      await e2e[Symbol.asyncDispose]();
    },
  };
}

/** What the SDK makes of a refusal. */
export async function refusal(work: Promise<unknown>): Promise<readonly [name: string, status: number | undefined, message: string]> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof LambdaServiceException, String(error));
  return [error.name, error.$metadata.httpStatusCode, error.message];
}
