/** AWS's SDK at control alone, without a gateway. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { LambdaClient, LambdaServiceException } from '@aws-sdk/client-lambda';
import { lambdaSocketOf } from '../../src/role/role-config.ts';
import { configIn, type ControlUnderTest } from './control-under-test.ts';

export const region = 'eu-central-1';

/** The socket that gateways pass requests on to. */
class SocketAgent extends Agent {
  readonly #path: string;
  constructor(path: string) {
    super();
    this.#path = path;
  }
  override createConnection() {
    return connect(this.#path);
  }
}

/** @param grant what the key may do, as `POST /v1/tokens` takes it */
export async function clientOf(t: TestContext, under: ControlUnderTest, grant: object): Promise<LambdaClient> {
  const made = await under.call('/v1/tokens', { method: 'POST', body: JSON.stringify({ name: 'k', accessKey: true, ...grant }) });
  assert.equal(made.status, 201, made.text);
  const { accessKeyId, secretAccessKey } = made.json as { accessKeyId: string; secretAccessKey: string };
  const client = new LambdaClient({
    endpoint: 'http://control',
    region,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
    requestHandler: { httpAgent: new SocketAgent(lambdaSocketOf(configIn(under.folder).run)) },
  });
  t.after(() => client.destroy());
  return client;
}

/** Name and status, or `done`. */
export const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof LambdaServiceException ? [error.name, error.$metadata.httpStatusCode] : error),
  );
