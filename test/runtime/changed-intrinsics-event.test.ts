/** The event is made in the user's process, from what the user's code may have changed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

const module = new URL('../../runtimes/node/function-url-event.mjs', import.meta.url).href;

/** In a process of its own: what user code does to its intrinsics stays there. */
function inProcess(spoil: string, show: string): string {
  const code = `
    const { toEvent } = await import(${JSON.stringify(module)});
    ${spoil};
    const event = (target, headers = ['host', 'h']) => toEvent([0, 'id', 0, 'GET', target, '::1', 0, headers], Buffer.alloc(0), 'f');
    console.log(JSON.stringify(${show}));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).trim();
}

const frozen = 'Object.freeze(Object.prototype)';
const swallows = `Object.defineProperty(Object.prototype, 'size', { get: () => 1, set() {}, configurable: true })`;

for (const name of ['toString', 'constructor', '__proto__']) {
  test(`with a frozen Object.prototype ?${name}=1 is a parameter like any other`, () => {
    assert.equal(inProcess(frozen, `event('/?${name}=1&${name}=2').queryStringParameters`), `{"${name}":"1,2"}`);
    assert.equal(inProcess(frozen, `event('/', ['${name.toLowerCase()}', 'x']).headers`), `{"${name.toLowerCase()}":"x"}`);
  });
}

test('an accessor on Object.prototype swallows no parameter', () => {
  assert.equal(inProcess(swallows, `event('/?size=5').queryStringParameters`), '{"size":"5"}');
});

test('a replaced Date.now does not change the event', () => {
  assert.match(inProcess(`Date.now = () => 'soon'`, `event('/').requestContext.time`), /^"\d\d\/\w{3}\/\d{4}:/);
});
