/** What becomes of a function in Java when it is deployed. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { packJava } from '../../src/build/java-bundle.ts';
import { planFolder } from '../../src/build/plan.ts';
import { checkBundle } from '../../src/build/bundle.ts';
import { folderOf } from './folder-of.ts';

const manifest = (more: string) => `functions:\n  orders:\n    runtime: java\n    handler: shop.Orders\n${more}`;
const source = 'package shop;\npublic class Orders { public String handle(String event) { return event; } }\n';
const { signal } = new AbortController();

async function filesOf(files: Record<string, string>): Promise<string[]> {
  await using folder = await folderOf(files);
  const [planned] = await planFolder(folder.path);
  assert.ok(planned);
  const { bytes } = await packJava(planned, 'zstd', signal);
  return await checkBundle(Readable.from([bytes]));
}

test('sources are compiled, and are not part of the bundle; what lies beside them is', async () => {
  const files = await filesOf({ 'swiftlet.yaml': manifest(''), 'a/shop/Orders.java': source, 'log.properties': 'a=b' });
  assert.deepEqual(files, ['log.properties', 'shop/Orders.class']);
});

test('a jar that is named is the bundle; classes and jars are taken as they are', async () => {
  const jar = { 'target/orders.jar': 'a jar', 'src/Orders.java': source, 'pom.xml': '' };
  assert.deepEqual(await filesOf({ 'swiftlet.yaml': manifest('    source: target/orders.jar\n'), ...jar }), ['orders.jar']);
  const built = { 'shop/Orders.class': 'classes', 'shop/Orders.java': source, 'lib/a.jar': 'a jar' };
  assert.deepEqual(await filesOf({ 'swiftlet.yaml': manifest(''), ...built }), ['lib/a.jar', 'shop/Orders.class', 'shop/Orders.java']);
});

test('what cannot be compiled is said with its line; what another tool builds is to be built', async () => {
  const refused = { code: 'ManifestInvalid' };
  await assert.rejects(filesOf({ 'swiftlet.yaml': manifest(''), 'Orders.java': 'class Orders { int x = "a"; }' }), {
    ...refused,
    message: /cannot be compiled: Orders\.java:1: error: incompatible types/,
  });
  await assert.rejects(filesOf({ 'swiftlet.yaml': manifest(''), 'pom.xml': '', 'src/main/java/Orders.java': source }), {
    ...refused,
    message: /run "mvn package" in .*, and name what it makes as "source"/,
  });
  await assert.rejects(filesOf({ 'swiftlet.yaml': 'functions:\n  orders:\n    runtime: java\n', 'Orders.java': source }), {
    code: 'HandlerNotFound',
    message: /nothing says which class in .* takes events/,
  });
});
