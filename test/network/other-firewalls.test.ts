/** Beside Docker's and others' rules: what stands in the way is told, and nothing of it is touched. In namespaces of the tests' own. Needs root. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeFd } from '../../src/agent/linux/libc.ts';
import { NetworkNamespaces } from '../../src/agent/linux/network-namespace.ts';
import { Nftables } from '../../src/agent/linux/nftables.ts';
import { hostRemoval, hostRules } from '../../src/agent/network/host-rules.ts';
import { inTheWay } from '../../src/agent/network/other-firewalls.ts';
import { needsRoot } from '../e2e/needs.ts';

const plan = { id: '0badcafe', block: 3 };
/** As Docker and Kubernetes make theirs by iptables-nft; what they have of sandboxes is filled in. */
const docker = (user: string) => `table ip filter {
  chain DOCKER-USER {
    ${user}
  }
  chain FORWARD {
    type filter hook forward priority filter; policy drop;
    jump DOCKER-USER
    iifname "docker0" accept
  }
}
table ip nat {
  chain KUBE-SERVICES {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr 10.96.0.1 tcp dport 443 dnat to 10.244.0.2:6443
  }
}`;

const cases: readonly (readonly [what: string, rules: string, found: RegExp | undefined])[] = [
  ['nothing', '', undefined],
  ['a table that accepts', 'table inet own { chain f { type filter hook forward priority 0; policy accept; }; }', undefined],
  ['Docker', docker(''), /chain FORWARD of the table ip filter.* iptables -I DOCKER-USER -i swlt-\+ -j ACCEPT; iptables -I DOCKER-USER -o/],
  ['Docker, told of sandboxes', docker('iifname "swlt-*" accept\n    oifname "swlt-*" accept'), undefined],
  [
    'a firewall',
    'table inet own { chain f { type filter hook forward priority 0; policy drop; }; }',
    /chain f of the table inet own.*swlt-\*/,
  ],
];

for (const [what, others, found] of cases)
  test(`beside ${what}`, { skip: needsRoot }, () => {
    using namespaces = new NetworkNamespaces();
    using opened = new DisposableStack();
    const fd = opened.adopt(
      namespaces.create(() => undefined),
      closeFd,
    );
    namespaces.inside(fd, () => {
      using rules = new Nftables();
      const all = () => JSON.stringify(rules.list('list ruleset'));
      if (others !== '') rules.run(others);
      const before = all();
      rules.run(hostRules(plan, [], true));
      const missing = inTheWay();
      if (found === undefined) assert.equal(missing, undefined);
      else assert.match(`${missing?.detail ?? ''}: ${missing?.remedy ?? ''}`, found);
      assert.notEqual(all(), before);
      rules.run(hostRemoval(plan));
      assert.equal(all(), before);
    });
  });
