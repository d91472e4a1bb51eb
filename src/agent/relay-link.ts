import { type CallClient, connectCalls } from '../wire/calls.ts';
import { type appendSchema, closedSchema, type labelSchema, type LogRecord, openSchema } from '../wire/relay-calls.ts';
import type { z } from 'zod';
import type { Version } from '../model/function.ts';

/** More than any agent has: by it the relay tells the slots of several agents apart. */
const slotsOfAgent = 100_000;

type Label = z.output<typeof labelSchema>;

/** The agent's side of the relay: which pipe belongs to whom. A relay that was restarted is told everything again. */
export class RelayLink {
  readonly #client: CallClient;
  readonly #open = new Map<number, string>();
  readonly #labels = new Map<number, Label>();
  readonly #firstSlot: number;

  /** @param agent which of several agents this is, from 0 on: each has slots of its own */
  constructor(socketPath: string, agent = 0) {
    this.#firstSlot = agent * slotsOfAgent;
    this.#client = connectCalls(socketPath, 'agent', { opened: () => this.#tellAll() });
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  open(own: number, fifo: string): void {
    const slot = this.#firstSlot + own;
    this.#open.set(slot, fifo);
    this.#tell('open', openSchema.parse({ slot, fifo }));
  }

  label(own: Label): void {
    const label = { ...own, slot: this.#firstSlot + own.slot };
    this.#labels.set(label.slot, label);
    this.#tell('label', label);
  }

  /** Writes a line of the platform's into a function's log. Lost while the relay is away. */
  tell({ instanceId, version: { tenant, function: name, number } }: { instanceId: string; version: Version }, message: string): void {
    const record: LogRecord = { time: new Date().toISOString(), level: 'platform', instanceId, version: number, message };
    this.#tell('append', { tenant, function: name, text: `${JSON.stringify(record)}\n` } satisfies z.output<typeof appendSchema>);
  }

  /** @returns the last words of the sandbox; empty when the relay is away */
  async close(own: number): Promise<string> {
    const slot = this.#firstSlot + own;
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
