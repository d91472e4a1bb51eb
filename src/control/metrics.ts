import { Counter, Gauge, Registry } from 'prom-client';
import type { Autoscaler } from './autoscaler.ts';
import { type OtherRole, otherRoles, type Roles } from './roles.ts';

/** Control's own figures, and where all roles' figures come together. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #roles: Roles;
  readonly #up: Gauge<'role'>;
  readonly #requests: Counter<'method' | 'route' | 'status'>;
  readonly #deploys: Counter<'tenant' | 'outcome'>;
  readonly #builds: Counter<'tenant' | 'outcome'>;
  readonly #rollouts: Counter<'outcome'>;
  readonly #auditIntact: Gauge;

  constructor(roles: Roles, autoscaler: Pick<Autoscaler, 'targets'>) {
    this.#roles = roles;
    const registers = [this.#registry];
    const targets = () => autoscaler.targets;
    new Gauge({
      name: 'swiftlet_scaling_target',
      help: 'Instances that the autoscaler wants of a version; 0 leaves it to requests that wait',
      labelNames: ['tenant', 'function', 'version'],
      registers,
      collect() {
        this.reset();
        for (const { tenant, function: name, number, target } of targets())
          this.set({ tenant, function: name, version: String(number) }, target);
      },
    });
    this.#up = new Gauge({ name: 'swiftlet_role_up', help: 'Whether a role answers', labelNames: ['role'], registers });
    this.#requests = new Counter({
      name: 'swiftlet_api_requests_total',
      help: 'Requests to the control API',
      labelNames: ['method', 'route', 'status'],
      registers,
    });
    this.#deploys = new Counter({
      name: 'swiftlet_deploys_total',
      help: 'Deploys by outcome: created, unchanged, or an error code',
      labelNames: ['tenant', 'outcome'],
      registers,
    });
    this.#builds = new Counter({
      name: 'swiftlet_builds_total',
      help: 'Builds on the platform by outcome: installed, cached, or an error code',
      labelNames: ['tenant', 'outcome'],
      registers,
    });
    this.#rollouts = new Counter({
      name: 'swiftlet_rollouts_total',
      help: 'Rollouts by steps that ended by themselves, by outcome: completed or rolled-back',
      labelNames: ['outcome'],
      registers,
    });
    this.#auditIntact = new Gauge({
      name: 'swiftlet_audit_intact',
      help: 'Whether the audit records were what was written when they were last verified',
      registers,
    });
    this.#auditIntact.set(1);
  }

  /** The audit records were verified. */
  audited(isIntact: boolean): void {
    this.#auditIntact.set(isIntact ? 1 : 0);
  }

  rollout(outcome: string): void {
    this.#rollouts.inc({ outcome });
  }

  request(method: string, route: string, status: number): void {
    this.#requests.inc({ method, route, status: String(status) });
  }

  build(tenant: string, outcome: string): void {
    this.#builds.inc({ tenant, outcome });
  }

  deploy(tenant: string, outcome: string): void {
    this.#deploys.inc({ tenant, outcome });
  }

  /** All roles' metrics in Prometheus’ text format; those that are away are left out and shown as down. */
  async everyRole(): Promise<string> {
    const texts = await this.#roles.metrics();
    for (const role of otherRoles) this.#up.set({ role }, texts[role] === undefined ? 0 : 1);
    this.#up.set({ role: 'control' }, 1);
    return [await this.own(), ...otherRoles.map((role: OtherRole) => texts[role] ?? '')].filter((text) => text !== '').join('\n');
  }

  /** One role's own part. @throws SwiftletError Unavailable while the role is away */
  ofRole(role: OtherRole | 'control'): Promise<string> {
    return role === 'control' ? this.own() : this.#roles.metricsOf(role);
  }

  own(): Promise<string> {
    return this.#registry.metrics();
  }
}
