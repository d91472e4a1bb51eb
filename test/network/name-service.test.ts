/** The resolver's answers, with a name server and rules that are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import dns, { type Answer, type DecodedPacket } from 'dns-packet';
import { NameService } from '../../src/agent/network/name-service.ts';
import type { ResolvedAddress } from '../../src/agent/network/name-pins.ts';

const query = (name: string, type: 'A' | 'AAAA' | 'TXT' = 'A') =>
  dns.encode({ type: 'query', id: 7, flags: dns.RECURSION_DESIRED, questions: [{ name, type }] });
const packet = (answers: Answer[], code = 0): DecodedPacket =>
  dns.decode(dns.encode({ type: 'response', id: 1, flags: code, questions: [], answers }));

function serviceWith(ask: (name: string) => Promise<DecodedPacket>) {
  const pinned: [line: number, indexes: readonly number[], found: readonly ResolvedAddress[]][] = [];
  const refused: string[] = [];
  const asked: string[] = [];
  const unknown: number[] = [];
  const service = new NameService({
    who: (line) => unknown.push(line),
    ask: (question) => {
      asked.push(question.name);
      return ask(question.name);
    },
    pin: (...what) => {
      pinned.push(what);
      return Promise.resolve();
    },
    refused: (_line, name, why) => refused.push(`${name}: ${why}`),
  });
  const answer = async (line: number, bytes: Buffer, limit?: number) => {
    const found = await service.answer(line, bytes, limit);
    return found === undefined ? undefined : dns.decode(found);
  };
  return { service, answer, pinned, refused, asked, unknown };
}

/** Its name; the package's types do not have it. */
const codeOf = (packet: DecodedPacket | undefined) => (packet as { rcode?: string } | undefined)?.rcode;

const addresses: Answer[] = [
  { type: 'CNAME', name: 'api.example', ttl: 5, data: 'real.example' },
  { type: 'A', name: 'real.example', ttl: 9, data: '198.51.100.1' },
];

test('an allowed name’s addresses are opened before they are told', async () => {
  const { service, answer, pinned } = serviceWith(() => Promise.resolve(packet(addresses)));
  service.know(3, { allow: ['203.0.113.0/24', 'api.example:443'] });
  const found = await answer(3, query('API.example'));
  assert.deepEqual([found?.id, found?.answers?.length], [7, 2]);
  assert.deepEqual(pinned, [[3, [1], [{ address: '198.51.100.1', ttlSeconds: 9 }]]]);
});

test('a refused name is asked of nobody, told, and answered with "no such name"', async () => {
  const { service, answer, refused, asked } = serviceWith(() => Promise.resolve(packet(addresses)));
  service.know(3, { allow: ['api.example'] });
  assert.equal(codeOf(await answer(3, query('other.example'))), 'NXDOMAIN');
  assert.deepEqual(asked, []);
  assert.match(refused.join(), /^other\.example: .*network\.allow/);
});

test('another name of a denied one is refused, too', async () => {
  const { service, answer, refused } = serviceWith(() => Promise.resolve(packet(addresses)));
  service.know(3, { deny: ['real.example'] });
  assert.equal(codeOf(await answer(3, query('api.example'))), 'NXDOMAIN');
  assert.match(refused.join(), /another name of real\.example/);
});

test('a server that fails, and a name that there is not, are passed on as what they are', async () => {
  const { service, answer } = serviceWith((name) =>
    name === 'none.example' ? Promise.resolve(packet([], 3)) : Promise.reject(new Error('silent')),
  );
  service.know(3, 'internet');
  assert.equal(codeOf(await answer(3, query('none.example'))), 'NXDOMAIN');
  assert.equal(codeOf(await answer(3, query('silent.example'))), 'SERVFAIL');
});

test('whose a line is, is asked once, and its questions wait for it', async () => {
  const { service, answer, unknown } = serviceWith(() => Promise.resolve(packet(addresses)));
  const early = [answer(3, query('api.example')), answer(3, query('api.example'))];
  assert.deepEqual(unknown, [3]);
  service.know(3, 'internet');
  for (const one of early) assert.equal((await one)?.answers?.length, 2);
  await answer(3, query('api.example'));
  assert.deepEqual(unknown, [3]);
});

test('an answer that is too long for UDP is cut, and whole over TCP', async () => {
  const many = Array.from({ length: 60 }, (_, i): Answer => ({ type: 'A', name: 'api.example', ttl: 5, data: `198.51.100.${i}` }));
  const { service, answer } = serviceWith(() => Promise.resolve(packet(many)));
  service.know(3, 'internet');
  const cut = await answer(3, query('api.example'));
  assert.deepEqual([cut?.flag_tc, cut?.answers?.length], [true, 0]);
  assert.equal((await answer(3, query('api.example'), 65_535))?.answers?.length, 60);
});

test('a line that asks for too much at once is told so, others are not held up', async () => {
  const held: (() => void)[] = [];
  const { service, answer } = serviceWith((name) =>
    name === 'slow.example' ? new Promise((resolve) => held.push(() => resolve(packet(addresses)))) : Promise.resolve(packet(addresses)),
  );
  service.know(3, 'internet');
  service.know(4, 'internet');
  const waiting = Array.from({ length: 64 }, () => answer(3, query('slow.example')));
  assert.equal(codeOf(await answer(3, query('api.example'))), 'SERVFAIL');
  assert.equal(codeOf(await answer(4, query('api.example'))), 'NOERROR');
  for (const go of held) go();
  await Promise.all(waiting);
  assert.equal(codeOf(await answer(3, query('api.example'))), 'NOERROR');
});

test('what is no question deserves no answer', async () => {
  const { service, answer } = serviceWith(() => Promise.resolve(packet(addresses)));
  service.know(3, 'internet');
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(12, 0xff),
    Buffer.from('garbage'),
    dns.encode({ type: 'response', id: 1, questions: [] }),
  ]) {
    assert.equal(await answer(3, bytes), undefined);
  }
  assert.equal(codeOf(await answer(3, dns.encode({ type: 'query', id: 1, questions: [] }))), 'FORMERR');
});
