import { z } from 'zod';
import type { functionConfigSchema } from '../src/model/function.ts';
import { bundleMediaType, type PackedBundle } from '../src/build/bundle.ts';

export type ConfigInput = z.input<typeof functionConfigSchema>;

const describedSchema = z.object({ instances: z.array(z.object({ instanceId: z.string(), state: z.string(), pid: z.int() })) });
const listSchema = z.object({ functions: z.array(z.object({ name: z.string() })) });
export type InstanceFacts = z.output<typeof describedSchema>['instances'][number];

/** The few calls of the control API that the bench makes. Each throws when the answer is no success. */
export class ControlApi {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#headers = { authorization: `Bearer ${token}` };
  }

  /** Publishes a version and returns once it is placed, so that its first request does not wait for its code. */
  async deploy(name: string, bundle: PackedBundle, config: ConfigInput = {}): Promise<void> {
    await this.#call('PUT', `/v1/artifacts/${bundle.digest}`, new Uint8Array(bundle.bytes), bundleMediaType);
    await this.#call('PUT', `/v1/functions/${name}`, JSON.stringify({ digest: bundle.digest, config }), 'application/json');
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
