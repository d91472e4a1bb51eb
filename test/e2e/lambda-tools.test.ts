/** Tools made for AWS, unchanged, with a credentials file that the CLI printed: AWS's own CLI, boto3, and a framework that deploys. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { zip } from '../lambda/zip.ts';
import { python, pythonPackages } from '../python/packages.ts';
import { type LambdaUnderTest, openLambda, region } from './lambda-under-test.ts';

const aws = '/usr/bin/aws';
const osls = fileURLToPath(new URL('../../node_modules/osls/bin/serverless.js', import.meta.url));
const role = 'arn:aws:iam::123456789012:role/lambda-role';
const source = (mark: string) => `exports.handler = async (event) => ({ mark: '${mark}', event });`;

let under: LambdaUnderTest;
let folder: string;
let environment: NodeJS.ProcessEnv;

before(async () => {
  under = await openLambda();
  folder = await mkdtemp(join(tmpdir(), 'swiftlet-tools-'));
  const credentials = join(folder, 'credentials');
  await writeFile(credentials, `${await under.swiftlet('credentials', 'create', 'tools', '--role', 'developer')}\n`);
  const { PATH, HOME } = process.env;
  environment = {
    PATH,
    HOME,
    AWS_SHARED_CREDENTIALS_FILE: credentials,
    AWS_PROFILE: 'swiftlet',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL: under.e2e.platform.lambdaUrl,
    AWS_PAGER: '',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  for (const mark of ['one', 'two']) await writeFile(join(folder, `${mark}.zip`), zip({ name: 'index.js', content: source(mark) }));
});
after(async () => {
  await under[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function run(command: string, words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
  return (await promisify(execFile)(command, words, { cwd: folder, env: { ...environment, ...more } })).stdout;
}

test('AWS’s CLI makes, invokes and changes a function, and divides an alias', async () => {
  const lambda = async (...words: string[]): Promise<Record<string, unknown>> => {
    const text = await run(aws, ['--endpoint-url', under.e2e.platform.lambdaUrl, '--output', 'json', 'lambda', ...words]);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
  const named = ['--function-name', 'by-cli'];
  const code = ['--runtime', 'nodejs22.x', '--handler', 'index.handler', '--role', role, '--zip-file', 'fileb://one.zip'];
  assert.equal((await lambda('create-function', ...named, ...code))['State'], 'Active');
  const event = ['--cli-binary-format', 'raw-in-base64-out', '--payload', '{"n":1}'];
  assert.equal((await lambda('invoke', ...named, ...event, 'answer.json'))['StatusCode'], 200);
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'answer.json'), 'utf8')), { mark: 'one', event: { n: 1 } });
  await lambda('update-function-code', ...named, '--zip-file', 'fileb://two.zip');
  const { Version } = await lambda('publish-version', ...named);
  const alias = await lambda('create-alias', ...named, '--name', 'beta', '--function-version', String(Version));
  assert.equal(alias['FunctionVersion'], Version);
  await assert.rejects(lambda('get-function', '--function-name', 'nobody'), /ResourceNotFoundException/);
});

test('boto3 does, too, and reads an answer as it comes', async () => {
  const script = `
import boto3, json
client = boto3.client('lambda')
with open('one.zip', 'rb') as package:
    client.create_function(FunctionName='by-boto', Runtime='nodejs22.x', Handler='index.handler', Role='${role}', Code={'ZipFile': package.read()})
client.get_waiter('function_active_v2').wait(FunctionName='by-boto')
answer = client.invoke(FunctionName='by-boto', Payload=b'{"n":2}', LogType='Tail')
stream = client.invoke_with_response_stream(FunctionName='by-boto', Payload=b'{"n":3}')['EventStream']
chunks = [event['PayloadChunk']['Payload'].decode() for event in stream if 'PayloadChunk' in event]
names = [one['FunctionName'] for page in client.get_paginator('list_functions').paginate() for one in page['Functions']]
try:
    client.invoke(FunctionName='nobody')
except client.exceptions.ResourceNotFoundException as error:
    missing = error.response['ResponseMetadata']['HTTPStatusCode']
print(json.dumps([answer['StatusCode'], json.loads(answer['Payload'].read()), 'LogResult' in answer, json.loads(''.join(chunks)), 'by-boto' in names, missing]))
`;
  const answer = await run(python, ['-c', script], { PYTHONPATH: await pythonPackages('boto3.txt') });
  assert.deepEqual(JSON.parse(answer), [200, { mark: 'one', event: { n: 2 } }, true, { mark: 'one', event: { n: 3 } }, true, 404]);
});

test('swiftlet deploys a serverless.yml, and osls invokes and changes the function that it made', async () => {
  const service = `service: shop
provider:
  name: aws
  region: ${region}
  runtime: nodejs22.x
  iam:
    role: ${role}
package:
  patterns: ['!**', 'index.js']
functions:
  hello:
    handler: index.handler
    timeout: 7
    events:
      - httpApi: GET /shop/hello
`;
  await writeFile(join(folder, 'serverless.yml'), service);
  await writeFile(join(folder, 'index.js'), source('by swiftlet'));
  await under.swiftlet('deploy', folder);
  const answer = await fetch(`${under.e2e.platform.gatewayUrl}/shop/hello`);
  assert.deepEqual([answer.status, ((await answer.json()) as { mark: string }).mark], [200, 'by swiftlet']);
  const framework = (...words: string[]) => run(process.execPath, [osls, ...words], { SLS_TELEMETRY_DISABLED: '1', CI: '1' });
  assert.match(await framework('invoke', '--function', 'hello', '--data', '{"n":4}'), /"mark": "by swiftlet"/);
  await writeFile(join(folder, 'index.js'), source('by osls'));
  await framework('deploy', 'function', '--function', 'hello');
  assert.match(await framework('invoke', '--function', 'hello', '--data', '{"n":4}'), /"mark": "by osls"/);
});
