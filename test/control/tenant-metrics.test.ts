import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsOf } from '../../src/control/tenant-metrics.ts';

const text = `# HELP requests Requests
# TYPE requests counter
requests{tenant="acme",function="hello",outcome="ok"} 3
requests{tenant="other",function="hello",outcome="ok"} 4
requests{function="second",tenant="acme"} 5
# HELP up Whether a role answers
# TYPE up gauge
up{role="control"} 1
# HELP tricks Labels that try to be others
# TYPE tricks counter
tricks{tenant="other",callee="x\\",tenant=\\"acme\\",y=\\""} 6
tricks{tenant="other",callee=",tenant=acme,"} 7
tricks{not_tenant="acme"} 8
# HELP waiting Now
# TYPE waiting gauge
waiting 9
# HELP deploys Deploys
# TYPE deploys counter
deploys{tenant="acme"} 10
`;

test('a tenant’s lines are told with what they are, and nobody else’s', () => {
  assert.equal(
    metricsOf(text, 'acme'),
    `# HELP requests Requests
# TYPE requests counter
requests{tenant="acme",function="hello",outcome="ok"} 3
requests{function="second",tenant="acme"} 5
# HELP deploys Deploys
# TYPE deploys counter
deploys{tenant="acme"} 10
`,
  );
});

test('or those of one function of it', () => {
  assert.match(metricsOf(text, 'acme', 'second'), /^# HELP requests Requests\n# TYPE requests counter\nrequests\{function="second".*\n$/);
  assert.equal(metricsOf(text, 'acme', 'third'), '');
  assert.equal(metricsOf(text, 'nobody'), '');
});
