import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { answerKeys } from '../../src/cli/up/answer-keys.ts';
import { upOptions } from '../../src/cli/up/options.ts';
import { openRootKeys, type RootKeyPlace } from '../../src/cli/up/root-key-place.ts';
import { askRootKeys, type ParentLine } from '../../src/role/ask-root-keys.ts';
import { parseKeyRing } from '../../src/role/root-keys.ts';
import { tempFolder } from '../control/temp-folder.ts';

const hex = (digit: string): string => digit.repeat(64);

describe('a root key in a file', () => {
  it('is made at the first start, for its owner’s eyes only, and is the same from then on', async (t) => {
    const path = join(tempFolder(t), 'root-key');
    const keys = openRootKeys({ kind: 'file', path });
    const [first, second] = [await keys.read(), await keys.read()];
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(first.keys[0].id, second.keys[0].id);
    assert.equal(first.keys[0].bytes.length, 32);
    assert.ok(!readFileSync(path, 'utf8').includes(first.keys[0].id), 'its name tells nothing of it');
  });

  it('gets a newer one in front, and loses the older when nothing needs them', async (t) => {
    const path = join(tempFolder(t), 'root-key');
    const keys = openRootKeys({ kind: 'file', path });
    const before = await keys.read();
    const both = await keys.add();
    assert.deepEqual(both.keys.map(({ id }) => id).slice(1), [before.keys[0].id]);
    assert.deepEqual(await keys.read(), both);
    await keys.dropOld();
    assert.deepEqual((await keys.read()).keys, [both.keys[0]]);
    assert.deepEqual([statSync(path).mode & 0o777, existsSync(`${path}.new`)], [0o600, false]);
  });

  it('that others may read is refused with the remedy', async (t) => {
    const path = join(tempFolder(t), 'root-key');
    await openRootKeys({ kind: 'file', path }).read();
    chmodSync(path, 0o640);
    await assert.rejects(openRootKeys({ kind: 'file', path }).read(), { code: 'Unavailable', message: /open to others.*chmod 600/ });
  });

  it('that is none is refused, and not shown', async (t) => {
    const path = join(tempFolder(t), 'root-key');
    for (const text of ['', 'swordfish', `${hex('a')} swordfish`]) {
      writeFileSync(path, text, { mode: 0o600 });
      await assert.rejects(openRootKeys({ kind: 'file', path }).read(), (error: Error) => {
        assert.match(error.message, /openssl rand -hex 32/);
        return !error.message.includes('swordfish');
      });
    }
  });
});

describe('a root key from elsewhere', () => {
  it('comes from the environment: hexadecimal digits or Base64, the newest first', async () => {
    const base64 = Buffer.alloc(32, 7).toString('base64');
    const ring = await openRootKeys({ kind: 'environment', text: `${hex('a')}, ${base64}` }).read();
    assert.deepEqual([ring.source, ring.keys.length, ring.keys[1]?.bytes[0]], ['environment', 2, 7]);
    assert.equal(ring.keys[1]?.id, parseKeyRing(Buffer.alloc(32, 7).toString('hex'), 'file', '').keys[0].id);
  });

  it('comes from what a command prints; of a failure nothing is told but its code', async () => {
    const ring = await openRootKeys({ kind: 'command', command: `echo ${hex('b')}` }).read();
    assert.deepEqual([ring.source, ring.keys[0].bytes.toString('hex')], ['command', hex('b')]);
    const failing = openRootKeys({ kind: 'command', command: `echo ${hex('b').slice(1)}; echo secret stuff >&2; exit 7` });
    await assert.rejects(failing.read(), (error: Error) => /failed \(7\)/.test(error.message) && !error.message.includes('secret'));
  });

  it('is not made by Swiftlet: what to do instead is said, and a key that was put in front is taken', async () => {
    await assert.rejects(openRootKeys({ kind: 'environment', text: hex('a') }).add(), {
      code: 'BadRequest',
      message: /in front of the old one in SWIFTLET_ROOT_KEY/,
    });
    const ring = await openRootKeys({ kind: 'command', command: `echo ${hex('b')} ${hex('a')}` }).add();
    assert.equal(ring.keys.length, 2);
  });
});

describe('where the root key is', () => {
  it('is a file of the data folder, unless it is said, and in one place only', () => {
    const home = { SWIFTLET_HOME: '/somewhere' };
    assert.deepEqual(upOptions(home).rootKey, { kind: 'file', path: '/somewhere/root-key' });
    assert.deepEqual(upOptions({ ...home, SWIFTLET_ROOT_KEY_FILE: '/etc/key' }).rootKey, { kind: 'file', path: '/etc/key' });
    assert.deepEqual(upOptions({ ...home, SWIFTLET_ROOT_KEY_COMMAND: 'vault' }).rootKey, { kind: 'command', command: 'vault' });
    const both = { ...home, SWIFTLET_ROOT_KEY: hex('a'), SWIFTLET_ROOT_KEY_FILE: '/etc/key' };
    assert.throws(() => upOptions(both), { code: 'BadRequest', message: /one place/ });
  });
});

describe('control’s line to the supervisor', () => {
  /** Both ends in one process. */
  const connect = (place: RootKeyPlace) => {
    const listeners = new Set<(message: unknown) => void>();
    const keys = openRootKeys(place);
    const line: ParentLine = {
      send: (message) =>
        answerKeys(keys, message, {
          connected: true,
          send: (answer: unknown) => {
            for (const listen of listeners) listen(structuredClone(answer));
            return true;
          },
        }),
      on: (_event, listener) => listeners.add(listener),
      off: (_event, listener) => listeners.delete(listener),
    };
    return { asked: askRootKeys(line), listeners, keys };
  };

  it('brings keys, new keys and refusals, and leaves nobody listening', async (t) => {
    const { asked, listeners, keys } = connect({ kind: 'file', path: join(tempFolder(t), 'root-key') });
    assert.deepEqual(await asked.read(), await keys.read());
    const [both, read] = await Promise.all([asked.add(), asked.read()]);
    assert.equal(both.keys.length, 2);
    assert.ok(read.keys.length >= 1);
    await asked.dropOld();
    assert.equal((await asked.read()).keys.length, 1);
    assert.equal(listeners.size, 0);
    await assert.rejects(connect({ kind: 'environment', text: 'none' }).asked.read(), { code: 'Unavailable', message: /32 bytes/ });
  });
});
