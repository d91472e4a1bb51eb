/** Layers as AWS's SDK publishes and lists them, at control alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteLayerVersionCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { zip } from '../lambda/zip.ts';
import { startUnderTest } from './control-under-test.ts';
import { clientOf, refusal, region } from './lambda-client.ts';

const arn = `arn:aws:lambda:${region}:000000000000:layer:libs`;
const ZipFile = zip({ name: 'nodejs/node_modules/libs/index.js', content: 'exports.mark = 1;' });

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
