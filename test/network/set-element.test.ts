/** Changes of the map that says which policy a line has, in a namespace of the test's own. Needs root. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeFd, SystemCallError } from '../../src/agent/linux/libc.ts';
import { NetlinkSocket, protocol } from '../../src/agent/linux/netlink-socket.ts';
import { NetworkNamespaces } from '../../src/agent/linux/network-namespace.ts';
import { Nftables } from '../../src/agent/linux/nftables.ts';
import { changeElements, type ElementChange } from '../../src/agent/linux/set-element.ts';
import { needsRoot } from '../e2e/needs.ts';

const set = 'bound';
const adding = (name: string, chain: string): ElementChange => ({ kind: 'add', set, name, chain });
const removing = (name: string): ElementChange => ({ kind: 'remove', set, name });

test('a line gets a policy, another one, and none; what cannot be changes nothing, and does not disturb what comes next', {
  skip: needsRoot,
}, () => {
  using namespaces = new NetworkNamespaces();
  using stack = new DisposableStack();
  const fd = stack.adopt(
    namespaces.create(() => undefined),
    closeFd,
  );
  const { rules, socket } = namespaces.inside(fd, () => ({
    rules: stack.use(new Nftables()),
    socket: stack.use(new NetlinkSocket(protocol.netfilter)),
  }));
  rules.run('table inet tried { \n chain one { \n }\n chain other { \n }\n map bound { type ifname : verdict; } \n }');
  const bound = () => /"goto":\{"target":"(\w+)"/.exec(JSON.stringify(rules.list('list map inet tried bound')))?.[1];

  const change = (...changes: readonly ElementChange[]) => {
    changeElements(socket, 'tried', changes);
  };
  change(adding('l1', 'one'));
  assert.equal(bound(), 'one');
  change(removing('l1'), adding('l1', 'other'));
  assert.equal(bound(), 'other');
  assert.throws(() => change(removing('l1'), adding('l1', 'missing')), SystemCallError);
  assert.throws(() => change(removing('l2'), adding('l2', 'one')), SystemCallError);
  assert.throws(() => change(adding('l1', 'one')), SystemCallError);
  assert.equal(bound(), 'other');
  change(removing('l1'));
  assert.equal(bound(), undefined);
  assert.throws(() => change(removing('l1')), SystemCallError);
});
