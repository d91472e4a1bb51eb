import { type CallClient, connectCalls } from '../wire/calls.ts';
import { type appendSchema, closedSchema, type labelSchema, type LogRecord, openSchema } from '../wire/relay-calls.ts';
import type { z } from 'zod';
import type { Version } from '../model/function.ts';

type Label = z.output<typeof labelSchema>;

/** The agent's side of the relay: which pipe belongs to whom. A relay that was restarted is told everything again. */
export class RelayLink {
  readonly #client: CallClient;
  readonly #open = new Map<number, string>();
  readonly #labels = new Map<number, Label>();

  constructor(socketPath: string) {
    this.#client = connectCalls(socketPath, 'agent', { opened: () => this.#tellAll() });
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  open(slot: number, fifo: string): void {
    this.#open.set(slot, fifo);
    this.#tell('open', openSchema.parse({ slot, fifo }));
  }

  label(label: Label): void {
    this.#labels.set(label.slot, label);
    this.#tell('label', label);
  }

  /** Writes a line of the platform's into a function's log. Lost while the relay is away. */
  tell({ instanceId, version: { tenant, function: name, number } }: { instanceId: string; version: Version }, message: string): void {
    const record: LogRecord = { time: new Date().toISOString(), level: 'platform', instanceId, version: number, message };
    this.#tell('append', { tenant, function: name, text: `${JSON.stringify(record)}\n` } satisfies z.output<typeof appendSchema>);
  }

  /** @returns the last words of the sandbox; empty when the relay is away */
  async close(slot: number): Promise<string> {
    this.#open.delete(slot);
    this.#labels.delete(slot);
    if (!this.#client.connected) return '';
    try {
      return closedSchema.parse(await this.#client.ask('close', { slot }, 1_000)).tail;
    } catch {
      return '';
    }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#client[Symbol.asyncDispose]();
  }

  #tellAll(): void {
    for (const [slot, fifo] of this.#open) this.#tell('open', { slot, fifo });
    for (const label of this.#labels.values()) this.#tell('label', label);
  }

  #tell(method: string, body: unknown): void {
    this.#client.notify(method, body);
  }
}
