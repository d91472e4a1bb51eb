/** What a folder means whose functions are said by a file of another tool. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kebab } from '../../src/build/foreign/foreign-manifest.ts';
import { scheduleOf } from '../../src/build/foreign/lambda-words.ts';
import { excludeLines } from '../../src/build/foreign/package-patterns.ts';
import { planFolder, type PlannedFunction } from '../../src/build/plan.ts';
import { bundleIgnore } from '../../src/build/bundle-ignore.ts';
import { folderOf } from './folder-of.ts';

async function planned(files: Readonly<Record<string, string>>, stage?: string) {
  await using folder = await folderOf({ 'src/a.js': '', ...files });
  const lines: string[] = [];
  const functions = await planFolder(folder.path, { stage, notTaken: (line) => lines.push(line) });
  return { functions: new Map(functions.map((one) => [one.name, one])), lines };
}

/** The only function. */
function only(functions: ReadonlyMap<string, PlannedFunction>): PlannedFunction {
  const [one] = functions.values();
  assert.ok(one !== undefined && functions.size === 1);
  return one;
}

const refusedWith = async (files: Readonly<Record<string, string>>, message: RegExp) =>
  assert.rejects(planned(files), (error: unknown) => {
    assert.match(String(error), message);
    return true;
  });

const whole = `
service: shop
frameworkVersion: '4'
custom:
  table: \${self:service}-\${sls:stage}-orders
  sizes: { dev: 256, prod: 512 }
provider:
  name: aws
  runtime: nodejs22.x
  stage: \${opt:stage, 'dev'}
  region: eu-central-1
  timeout: 10
  environment:
    TABLE: \${self:custom.table}
    FROM: \${env:SWIFTLET_TEST_FROM, 'nobody'}
  httpApi: { cors: { allowedOrigins: [https://app.example.com], allowCredentials: true } }
  iam: { role: { statements: [] } }
package:
  patterns: ['!**', 'src/**']
functions:
  createOrder:
    handler: src/a.create
    memorySize: \${self:custom.sizes.\${sls:stage}}
    reservedConcurrency: 7
    provisionedConcurrency: 2
    environment: { LEVEL: 3, KEY: { Ref: Key } }
    events:
      - httpApi: POST /orders/{id}
      - httpApi: { method: get, path: /orders }
      - schedule: rate(2 hours)
      - schedule: { rate: 'cron(0 6 ? * 2-6 *)', name: weekdays, timezone: Europe/Berlin, input: { a: 1 } }
      - sqs: arn:aws:sqs:eu-central-1:000000000000:q
    layers: [arn:aws:lambda:eu-central-1:000000000000:layer:libs:1, !Ref Layer]
  inner:
    name: inner-one
    handler: src/a.inner
    timeout: 2
resources:
  Resources: { Orders: { Type: AWS::DynamoDB::Table } }
`;

test('serverless.yml: what it says of functions holds, and what is not taken over is listed with its place', async () => {
  const { functions, lines } = await planned({ 'serverless.yml': whole });
  assert.deepEqual([...functions.keys()].sort(), ['inner-one', 'shop-dev-createOrder']);
  const create = functions.get('shop-dev-createOrder');
  assert.ok(create !== undefined);
  const { config } = create;
  assert.deepEqual(
    [config.runtime, config.handler, config.memoryMiB, config.timeoutMs, config.minimum, config.maximum],
    ['nodejs22', 'src/a.create', 256, 10_000, 2, 7],
  );
  assert.deepEqual(config.layers, ['libs:1']);
  assert.deepEqual(config.environment, { TABLE: 'shop-dev-orders', FROM: 'nobody', LEVEL: '3' });
  assert.deepEqual(
    config.routes.map(({ methods, path }) => [methods, path]),
    [
      [['POST'], '/orders/{id}'],
      [['GET'], '/orders'],
    ],
  );
  assert.deepEqual(
    Object.values(config.timers).map((timer) =>
      timer.kind === 'cron' ? [timer.expression, timer.timeZone] : timer.kind === 'rate' && timer.everyMs,
    ),
    [7_200_000, ['0 6 * * 1-5', 'Europe/Berlin']],
  );
  assert.deepEqual([config.url, config.cors?.origins, config.cors?.credentials], ['public', ['https://app.example.com'], true]);
  const isOut = await bundleIgnore(create.source, create.build);
  assert.deepEqual(
    [isOut('src/'), isOut('src/a.js'), isOut('README.md'), isOut('serverless.yml'), isOut('.serverless/')],
    [false, false, true, true, true],
  );
  const inner = functions.get('inner-one');
  assert.deepEqual([inner?.config.memoryMiB, inner?.config.timeoutMs, inner?.config.url], [1_024, 2_000, 'token']);
  assert.deepEqual(lines.map((line) => /^serverless\.yml:\d+:\d+: ([^:]+):/.exec(line)?.[1]).sort(), [
    'functions.createOrder.environment.KEY',
    'functions.createOrder.events.3.schedule.input',
    'functions.createOrder.events.4.sqs',
    'functions.createOrder.layers.1',
    'provider.iam',
    'resources',
  ]);
});

test('serverless.yml: another stage, and a variable of the environment', async () => {
  process.env['SWIFTLET_TEST_FROM'] = 'post@example.com';
  try {
    const { functions } = await planned({ 'serverless.yml': whole }, 'prod');
    const { config } = functions.get('shop-prod-createOrder') ?? assert.fail('it is called by its stage');
    assert.deepEqual(
      [config.memoryMiB, config.environment['FROM'], config.environment['TABLE']],
      [512, 'post@example.com', 'shop-prod-orders'],
    );
  } finally {
    delete process.env['SWIFTLET_TEST_FROM'];
  }
});

const small = (more: string, provider = '') =>
  `service: s\nprovider:\n  name: aws\n${provider}functions:\n  f:\n    handler: src/a.f\n${more}`;

test('serverless.yml: who is asked for something by AWS is not let in without it here', async () => {
  const { functions, lines } = await planned({
    'serverless.yml': small('    events: [{ httpApi: { path: /a, method: GET, authorizer: { name: jwt } } }, { httpApi: GET /b }]\n'),
  });
  assert.equal(only(functions).config.url, 'token');
  assert.match(lines.join('\n'), /authorizer: not supported: the function asks for a token instead/);
});

test('serverless.yml: a REST API and an address of its own', async () => {
  const { functions, lines } = await planned({
    'serverless.yml': small('    url: true\n    events: [{ http: { path: users/create, method: any, cors: true } }, { http: "*" }]\n'),
  });
  const { routes, url, cors, payload } = only(functions).config;
  assert.deepEqual(
    routes.map(({ path }) => path),
    ['/users/create', '/', '/{proxy+}'],
  );
  assert.deepEqual([url, cors?.origins, payload], ['public', ['*'], '1.0']);
  assert.equal(lines.filter((line) => line.includes('no stage')).length, 2);
  const numbered = small('    events: [{ httpApi: GET /a }]\n', '  httpApi: { payload: 1.0 }\n');
  assert.equal(only((await planned({ 'serverless.yml': numbered })).functions).config.payload, '1.0');
  const mixed = await planned({ 'serverless.yml': small('    events: [{ httpApi: GET /a }, { http: GET /b }]\n') });
  assert.equal(only(mixed.functions).config.payload, undefined);
  assert.match(mixed.lines.join('\n'), /in one format, that of its first route: payload 2\.0, not 1\.0/);
});

for (const [what, text, message] of [
  [
    'a variable that only AWS could tell',
    small('    environment: { A: "${ssm:/key}" }\n'),
    /serverless\.yml:7:20: functions\.f\.environment\.A: \$\{ssm:\/key\} cannot be told here/,
  ],
  ['a variable without a value', small('    environment: { A: "${env:SWIFTLET_TEST_NOWHERE}" }\n'), /SWIFTLET_TEST_NOWHERE\} has no value/],
  ['a variable that leads to itself', small('    environment: { A: "${self:functions.f.environment.A}" }\n'), /leads to itself/],
  ['a stage that leads to itself', small('', '  stage: "${self:provider.stage}"\n'), /leads to itself/],
  ['a variable without its end', small('    environment: { A: "${env:HOME" }\n'), /without its end/],
  [
    'a runtime that there is not',
    small('    runtime: nodejs18.x\n'),
    /serverless\.yml:7:5: functions\.f\.runtime: there is no runtime "nodejs18\.x" here/,
  ],
  ['a value out of its range', small('    timeout: 1000000\n'), /serverless\.yml:5:3: functions\.f: timeout: .*out of range/],
  ['an image', 'service: s\nprovider: { name: aws }\nfunctions: { f: { image: a } }\n', /container images cannot be deployed/],
  [
    'another cloud',
    'service: s\nprovider: { name: google }\nfunctions: { f: { handler: src/a.f } }\n',
    /functions for google cannot be read/,
  ],
  ['an archive', small('    package: { artifact: a.zip }\n'), /an archive that was made already/],
  ['two of one name', `${small('')}  g: { handler: src/a.f, name: s-dev-f }\n`, /two functions would be called "s-dev-f"/],
  ['no functions', 'service: s\nprovider: { name: aws }\n', /it has no functions/],
] as const)
  test(`serverless.yml is refused with ${what}`, () => refusedWith({ 'serverless.yml': text }, message));

const template = `
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Level: { Type: String, Default: info }
Globals:
  Function: { Runtime: python3.12, Timeout: 20, Environment: { Variables: { LEVEL: !Ref Level } } }
Resources:
  ResizeImage:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: a.handler
      MemorySize: 512
      Environment:
        Variables: { TABLE: !Ref Orders, OTHER: !Sub '\${Level}-\${Notify}', ARN: !GetAtt Orders.Arn }
      Policies: AWSLambdaBasicExecutionRole
      Events:
        Get: { Type: HttpApi, Properties: { Path: '/images/{id}', Method: get } }
        Nightly: { Type: ScheduleV2, Properties: { ScheduleExpression: 'cron(30 2 * * ? *)' } }
        Queue: { Type: SQS, Properties: { Queue: !GetAtt Q.Arn } }
  Notify:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: notify
      CodeUri: src
      Handler: a.notify
      ReservedConcurrentExecutions: 3
      FunctionUrlConfig: { AuthType: NONE }
  Orders: { Type: AWS::DynamoDB::Table }
`;

test('template.yaml: functions of SAM, with what is common to them, and a list of what is not taken over', async () => {
  const { functions, lines } = await planned({ 'template.yaml': template });
  const [resize, notify] = [functions.get('resize-image')?.config, functions.get('notify')?.config];
  assert.deepEqual(
    [resize?.runtime, resize?.handler, resize?.memoryMiB, resize?.timeoutMs, resize?.url],
    ['python3', 'a.handler', 512, 20_000, 'public'],
  );
  assert.deepEqual(resize?.environment, { LEVEL: 'info', OTHER: 'info-notify' });
  assert.deepEqual(
    resize.routes.map(({ methods, path }) => [methods, path]),
    [[['GET'], '/images/{id}']],
  );
  assert.deepEqual(Object.keys(resize.timers), ['nightly']);
  assert.deepEqual([notify?.maximum, notify?.url, notify?.memoryMiB], [3, 'public', 128]);
  assert.match(functions.get('notify')?.source ?? '', /\/src$/);
  assert.deepEqual(lines.map((line) => /^template\.yaml:\d+:\d+: ([\w.]+)/.exec(line)?.[1]).sort(), [
    'Resources.Orders',
    'Resources.ResizeImage.Properties.Environment.Variables.ARN',
    'Resources.ResizeImage.Properties.Environment.Variables.TABLE',
    'Resources.ResizeImage.Properties.Events.Queue',
    'Resources.ResizeImage.Properties.Policies',
  ]);
});

test('a template of something else says nothing, and swiftlet.yaml is asked before all of them', async () => {
  const other = await planned({ 'template.yaml': 'Resources: { A: { Type: AWS::S3::Bucket } }', 'index.js': '' });
  assert.deepEqual([...other.functions.keys()], ['shop']);
  const own = await planned({ 'serverless.yml': whole, 'swiftlet.yaml': 'functions: { mine: { handler: src/a.f } }' });
  assert.deepEqual([...own.functions.keys()], ['mine']);
});

for (const [expression, timer] of [
  ['rate(1 minute)', { rate: '1m' }],
  ['rate(3 days)', { rate: '4320m' }],
  ['cron(0/15 8-17 ? * MON-FRI *)', { cron: '0/15 8-17 * * MON-FRI' }],
  ['cron(0 0 ? * 1,7 *)', { cron: '0 0 * * 0,6' }],
  ['at(2026-11-20T13:00:00)', { at: '2026-11-20T13:00:00' }],
  ['cron(0 0 L * ? *)', undefined],
  ['cron(0 0 1 1 ? 2030)', undefined],
  ['every day', undefined],
] as const)
  test(`the schedule ${expression}`, () => {
    const found = scheduleOf(expression);
    assert.deepEqual('timer' in found ? found.timer : undefined, timer);
  });

test('globs of a package become patterns in the same order; names are in lower case', () => {
  assert.deepEqual(excludeLines(['!./**', 'a/b/**', '!**/*.test.js', 'x.js']), [
    '/**',
    '!/a/',
    '!/a/b/',
    '!/a/b/**',
    '**/*.test.js',
    '!/x.js',
  ]);
  assert.deepEqual(['createUser', 'My_Fn', 'a-b', 'HTTPHandler'].map(kebab), ['create-user', 'my-fn', 'a-b', 'httphandler']);
});
