/** The same function in each language: it counts what it served, prints, and does what the event's text asks for; `INIT` says how its init goes. */
import type { ConfigInput } from '../../bench/control-api.ts';
import { plainJava } from './java-functions.ts';
import { javaTools } from './missing-tools.ts';

export interface LanguageUnderTest {
  readonly name: string;
  readonly config: ConfigInput;
  /** Of the machine, beside what all tests need. */
  readonly tools: readonly string[];
  readonly files: () => Promise<Readonly<Record<string, string | Buffer>>>;
  /** What a caller of Lambda's API is told of what it throws. */
  readonly raised: readonly [errorType: string, errorMessage: RegExp, stack: 'trace' | 'stackTrace' | 'none'];
  /** And of an init that throws. */
  readonly initThrew: readonly [errorType: string, errorMessage: RegExp];
}

const node = `
if (process.env.INIT === 'throw') throw new RangeError('no table');
if (process.env.INIT === 'exit') process.exit(7);
if (process.env.INIT === 'spin') for (;;);
let served = 0;
export async function handler(event) {
  const asked = JSON.stringify(event);
  served += 1;
  if (asked.includes('/raise')) throw new TypeError('secret detail');
  if (asked.includes('/exit')) process.exit(3);
  if (asked.includes('/spin')) for (;;);
  if (asked.includes('/bomb')) for (const all = []; ; ) all.push(Buffer.alloc(1 << 20, 1));
  console.log('served ' + served);
  console.error('in error');
  return served;
}`;

const python = `
import json, os, sys
if os.environ.get("INIT") == "throw": raise LookupError("no table")
if os.environ.get("INIT") == "exit": os._exit(7)
while os.environ.get("INIT") == "spin": pass
served = 0
def handler(event, context):
    global served
    asked = json.dumps(event)
    served += 1
    if "/raise" in asked: raise ValueError("secret detail")
    if "/exit" in asked: sys.exit(3)
    while "/spin" in asked: pass
    if "/bomb" in asked: held = [bytearray(b"x" * (1 << 20)) for _ in range(4096)]
    print("served", served)
    print("in error", file=sys.stderr)
    return served
`;

const bootstrap = `#!/bin/bash
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
cd "$(mktemp -d)"
post() { curl -sS -o /dev/null "$@"; }
case "$INIT" in
  throw) post "$api/init/error" -d '{"errorMessage":"no table","errorType":"Config.Missing","stackTrace":[]}'; exit 1 ;;
  exit) exit 7 ;;
  spin) while :; do :; done ;;
esac
served=0
while true; do
  curl -sS -D headers -o event "$api/invocation/next"
  here="$api/invocation/$(sed -n 's/^lambda-runtime-aws-request-id: *\\([^\\r]*\\).*/\\1/Ip' headers)"
  served=$((served + 1))
  case "$(cat event)" in
    */raise*) post "$here/error" -d '{"errorMessage":"secret detail","errorType":"Own.Error","stackTrace":["at bootstrap"]}'; continue ;;
    */exit*) exit 3 ;;
    */spin*) while :; do :; done ;;
    */bomb*) exec tail /dev/zero ;;
  esac
  echo "served $served"
  echo 'in error' >&2
  post "$here/response" -d "$served"
done
`;

const server = `
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
if (process.env.INIT === 'throw') console.error('no table');
if (process.env.INIT === 'throw') process.exit(1);
if (process.env.INIT === 'exit') process.exit(7);
if (process.env.INIT === 'spin') for (;;);
let served = 0;
createServer(async (request, response) => {
  const asked = request.url + (await text(request));
  served += 1;
  if (asked.includes('/raise')) return response.writeHead(502).end('secret detail');
  if (asked.includes('/exit')) process.exit(3);
  if (asked.includes('/spin')) for (;;);
  if (asked.includes('/bomb')) for (const all = []; ; ) all.push(Buffer.alloc(1 << 20, 1));
  console.log('served ' + served);
  console.error('in error');
  response.end(String(served));
}).listen(process.env.PORT);`;

const of = (files: Readonly<Record<string, string>>) => () => Promise.resolve(files);

export const languagesUnderTest: readonly LanguageUnderTest[] = [
  {
    name: 'node',
    tools: [],
    config: { runtime: 'nodejs26', handler: 'index.handler' },
    files: of({ 'index.mjs': node }),
    raised: ['TypeError', /^secret detail$/, 'trace'],
    initThrew: ['RangeError', /^no table$/],
  },
  {
    name: 'python',
    tools: [],
    config: { runtime: 'python3', handler: 'index.handler' },
    files: of({ 'index.py': python }),
    raised: ['ValueError', /^secret detail$/, 'stackTrace'],
    initThrew: ['LookupError', /^no table$/],
  },
  {
    name: 'java',
    tools: javaTools,
    config: { runtime: 'java', handler: 'plain.Forms', memoryMiB: 256, bundle: 'never' },
    files: plainJava,
    raised: ['java.lang.IllegalStateException', /^secret detail$/, 'stackTrace'],
    initThrew: ['java.lang.IllegalStateException', /^no table$/],
  },
  {
    name: 'provided',
    tools: ['curl'],
    config: { runtime: 'provided', handler: 'any' },
    files: of({ bootstrap }),
    raised: ['Own.Error', /^secret detail$/, 'stackTrace'],
    initThrew: ['Config.Missing', /^no table$/],
  },
  {
    name: 'http',
    tools: [],
    config: { runtime: 'http', handler: 'exec node server.mjs' },
    files: of({ 'server.mjs': server }),
    raised: ['Status502', /secret detail/, 'none'],
    initThrew: ['Runtime.ExitError', /no table/],
  },
];
