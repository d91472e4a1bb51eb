/** Layers as AWS's SDK publishes and lists them, at control alone. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteLayerVersionCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  LambdaClient,
  LambdaServiceException,
  ListLayersCommand,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { lambdaSocketOf } from '../../src/role/role-config.ts';
import { zip } from '../lambda/zip.ts';
import { configIn, type ControlUnderTest, startUnderTest } from './control-under-test.ts';

const region = 'eu-central-1';
const arn = `arn:aws:lambda:${region}:000000000000:layer:libs`;
const ZipFile = zip({ name: 'nodejs/node_modules/libs/index.js', content: 'exports.mark = 1;' });

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

async function clientOf(t: TestContext, under: ControlUnderTest, grant: object): Promise<LambdaClient> {
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

const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof LambdaServiceException ? [error.name, error.$metadata.httpStatusCode] : error),
  );

test('layers: published, listed, described, built on, and deleted once nothing builds on them', async (t) => {
  const under = await startUnderTest(t);
  const lambda = await clientOf(t, under, { role: 'developer' });
  const draft = { LayerName: 'libs', Content: { ZipFile }, Description: 'shared', CompatibleRuntimes: ['nodejs22.x' as const] };
  const [one, two] = [await lambda.send(new PublishLayerVersionCommand(draft)), await lambda.send(new PublishLayerVersionCommand(draft))];
  assert.deepEqual([one.LayerVersionArn, one.Version, two.Version, one.Description], [`${arn}:1`, 1, 2, 'shared']);
  const found = await lambda.send(new GetLayerVersionCommand({ LayerName: arn, VersionNumber: 2 }));
  assert.deepEqual([found.LayerArn, found.CompatibleRuntimes, found.Content?.CodeSha256], [arn, ['nodejs22.x'], two.Content?.CodeSha256]);
  assert.equal((await lambda.send(new GetLayerVersionByArnCommand({ Arn: `${arn}:1` }))).Version, 1);
  const { LayerVersions = [] } = await lambda.send(new ListLayerVersionsCommand({ LayerName: 'libs' }));
  const { Layers = [] } = await lambda.send(new ListLayersCommand({ CompatibleRuntime: 'nodejs22.x' }));
  assert.deepEqual(
    [LayerVersions.map(({ Version }) => Version), Layers.map((layer) => layer.LatestMatchingVersion?.Version)],
    [[2, 1], [2]],
  );
  assert.deepEqual((await lambda.send(new ListLayersCommand({ CompatibleRuntime: 'python3.12' }))).Layers, []);
  const Code = { ZipFile: zip({ name: 'index.js', content: 'exports.handler = async () => 1;' }) };
  const wish = { Runtime: 'nodejs22.x' as const, Handler: 'index.handler', Role: 'arn:aws:iam::123456789012:role/any', Code };
  const made = await lambda.send(new CreateFunctionCommand({ FunctionName: 'layered', ...wish, Layers: [`${arn}:1`] }));
  assert.deepEqual(made.Layers, [{ Arn: `${arn}:1` }]);
  const remove = (version: number) => lambda.send(new DeleteLayerVersionCommand({ LayerName: 'libs', VersionNumber: version }));
  assert.deepEqual(await refusal(remove(1)), ['ResourceConflictException', 409]);
  await remove(2);
  assert.deepEqual(await refusal(remove(2)), ['ResourceNotFoundException', 404]);
  const build = (...Layers: string[]) => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'layered', Layers }));
  for (const wrong of [`${arn}:9`, arn, arn.replace('000000000000', '123456789012').concat(':1')])
    assert.deepEqual(await refusal(build(wrong)), ['InvalidParameterValueException', 400], wrong);
  assert.equal((await build()).Layers, undefined);
});

test('layers are of no single function: a key for one of them neither publishes nor sees any', async (t) => {
  const under = await startUnderTest(t);
  const lambda = await clientOf(t, under, { role: 'developer', functions: ['layered'] });
  const publish = lambda.send(new PublishLayerVersionCommand({ LayerName: 'libs', Content: { ZipFile } }));
  assert.match(String(await refusal(publish)), /^(?:AccessDenied|ResourceNotFound)Exception,40[34]$/);
  assert.match(String(await refusal(lambda.send(new ListLayersCommand({})))), /^(?:AccessDenied|ResourceNotFound)Exception,40[34]$/);
});
