import { z } from 'zod';
import type { poolSettingsSchema } from '../src/model/custom-pool.ts';
import type { functionConfigSchema } from '../src/model/function.ts';
import type { tenantSettingsSchema } from '../src/model/tenant.ts';
import { type ScalingView, scalingViewSchema } from '../src/wire/scale-calls.ts';
import { type RolloutView, rolloutViewSchema } from '../src/wire/traffic-answers.ts';
import { bundleMediaType, type PackedBundle } from '../src/build/bundle.ts';

export type ConfigInput = z.input<typeof functionConfigSchema>;

const describedSchema = z.object({
  instances: z.array(
    z.object({ instanceId: z.string(), state: z.string(), pid: z.int(), memoryBytes: z.number(), agent: z.int().optional() }),
  ),
});
const scaledSchema = describedSchema.extend({ scaling: z.array(scalingViewSchema).default([]) });
const listSchema = z.object({ functions: z.array(z.object({ name: z.string() })) });
export type InstanceFacts = z.output<typeof describedSchema>['instances'][number];

/** How many instances there are, and why. */
export interface ScaledFacts {
  readonly instances: number;
  readonly scaling: readonly ScalingView[];
}

/** The few calls of the control API that the bench makes. Each throws when the answer is no success. */
export class ControlApi {
  readonly #url: string;
  readonly #token: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param tenant whose functions; absent: the token's own */
  constructor(url: string, token: string, tenant?: string) {
    this.#url = url;
    this.#token = token;
    this.#headers = { authorization: `Bearer ${token}`, ...(tenant === undefined ? {} : { 'x-swiftlet-tenant': tenant }) };
  }

  /** The same calls about another tenant. */
  of(tenant: string): ControlApi {
    return new ControlApi(this.#url, this.#token, tenant);
  }

  /** Makes a tenant, or gives it other settings. */
  async setTenant(name: string, settings: z.input<typeof tenantSettingsSchema>): Promise<void> {
    await this.#call('PUT', `/v1/tenants/${name}`, JSON.stringify(settings), 'application/json');
  }

  /** Publishes a version and returns once it is placed, so that its first request does not wait for its code. */
  async deploy(name: string, bundle: PackedBundle, config: ConfigInput = {}): Promise<void> {
    await this.#call('PUT', `/v1/artifacts/${bundle.digest}`, new Uint8Array(bundle.bytes), bundleMediaType);
    await this.#call('PUT', `/v1/functions/${name}`, JSON.stringify({ digest: bundle.digest, config }), 'application/json');
  }

  /** Publishes a version of a layer. @returns what functions name it by */
  async publishLayer(name: string, bundle: PackedBundle): Promise<string> {
    await this.#call('PUT', `/v1/artifacts/${bundle.digest}`, new Uint8Array(bundle.bytes), bundleMediaType);
    const body = JSON.stringify({ digest: bundle.digest });
    const response = await this.#call('POST', `/v1/layers/${name}/versions`, body, 'application/json');
    return `${name}:${z.object({ version: z.int() }).parse(await response.json()).version}`;
  }

  async createPool(name: string, settings: z.input<typeof poolSettingsSchema>): Promise<void> {
    await this.#call('PUT', `/v1/pools/${name}`, JSON.stringify(settings), 'application/json');
  }

  /** @returns a token of the first tenant */
  async createToken(name: string, role: string): Promise<{ readonly id: string; readonly token: string }> {
    const response = await this.#call('POST', '/v1/tokens', JSON.stringify({ name, role }), 'application/json');
    return z.object({ id: z.string(), token: z.string() }).parse(await response.json());
  }

  async revoke(id: string): Promise<void> {
    await this.#call('DELETE', `/v1/tokens/${id}`);
  }

  /** @returns an access key of the first tenant */
  async createKey(name: string, role: string): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> {
    const response = await this.#call('POST', '/v1/tokens', JSON.stringify({ name, role, accessKey: true }), 'application/json');
    return z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }).parse(await response.json());
  }

  /** Makes a private network. @returns what its proxies are started with, in their order */
  async createNetwork(
    name: string,
    settings: { readonly ranges: readonly string[]; readonly proxies: readonly string[] },
  ): Promise<[number, number]> {
    const response = await this.#call('PUT', `/v1/networks/${name}`, JSON.stringify(settings), 'application/json');
    return z.object({ tunnels: z.tuple([z.int(), z.int()]) }).parse(await response.json()).tunnels;
  }

  /** Points `live` to where it was before; resolves when it is in force. */
  async rollBack(name: string): Promise<void> {
    await this.#call('POST', `/v1/functions/${name}/rollback`, '{}', 'application/json');
  }

  async remove(name: string): Promise<void> {
    await this.#call('DELETE', `/v1/functions/${name}`);
  }

  /** The names of all functions. */
  async functions(): Promise<readonly string[]> {
    return listSchema.parse(await (await this.#call('GET', '/v1/functions')).json()).functions.map(({ name }) => name);
  }

  async instances(name: string): Promise<readonly InstanceFacts[]> {
    return describedSchema.parse(await (await this.#call('GET', `/v1/functions/${name}`)).json()).instances;
  }

  async scaled(name: string): Promise<ScaledFacts> {
    const { instances, scaling } = scaledSchema.parse(await (await this.#call('GET', `/v1/functions/${name}`)).json());
    return { instances: instances.length, scaling };
  }

  /** How far the last rollout of a function is. */
  async rollout(name: string): Promise<RolloutView> {
    return rolloutViewSchema.parse(await (await this.#call('GET', `/v1/functions/${name}/rollout`)).json());
  }

  async platform(): Promise<unknown> {
    return (await this.#call('GET', '/v1/platform')).json();
  }

  /** Prometheus’ text format. @param role whose part; absent: all roles' */
  async metrics(role?: string): Promise<string> {
    return (await this.#call('GET', role === undefined ? '/metrics' : `/metrics?role=${role}`)).text();
  }

  async #call(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>, type?: string): Promise<Response> {
    const headers = type === undefined ? this.#headers : { ...this.#headers, 'content-type': type };
    const response = await fetch(this.#url + path, { method, headers, ...(body === undefined ? {} : { body }) });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response;
  }
}
