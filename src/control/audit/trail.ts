/** The audit trail: what is tried is written down before it is done, and its end before it is told. */
import type { Logger } from 'pino';
import { type Attempt, type AuditEntry, type AuditResult } from '../../model/audit.ts';
import { keptAuditRecords } from '../../model/limits.ts';
import { Turns } from '../turns.ts';
import type { AuditFile } from './audit-file.ts';
import type { AuditPage, AuditStore } from './audit-store.ts';
import { RefusedTally, tallyMs } from './refused-tally.ts';
import { type Verification, verify } from './verify.ts';

const verifyEveryMs = 24 * 3_600_000;
/** Records that the copy is brought up to date by at once. */
const atOnce = 1_000;
/** So many more than are kept may be there until the oldest are let go of. */
const slack = 0.05;
const interrupted = { status: 500, code: 'Interrupted' } as const;

export interface TrailMeans {
  readonly store: AuditStore;
  readonly file: AuditFile;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
  /** Called after each verification. */
  readonly verified?: (isIntact: boolean) => void;
  readonly log: Logger;
  /** Records that are kept. */
  readonly kept?: number;
}

export class AuditTrail implements AsyncDisposable {
  readonly #means: TrailMeans;
  readonly #tally = new RefusedTally();
  /** The copy is written in the order of the chain. */
  readonly #turns = new Turns();
  readonly #waiting = new Set<() => void>();
  readonly #timers: NodeJS.Timeout[] = [];
  /** The last record that the copy has. */
  #copied = 0;
  #verified: Verification | undefined;
  #isClosed = false;

  private constructor(means: TrailMeans) {
    this.#means = means;
  }

  /** Goes on where the last one ended: what it had begun is recorded as interrupted, the copy is brought up to date. */
  static async open(means: TrailMeans): Promise<AuditTrail> {
    const trail = new AuditTrail(means);
    const unfinished = await means.store.unfinished();
    if (unfinished.length > 0) await means.store.append(unfinished.map((attempt) => ({ ...attempt, result: interrupted })));
    trail.#copied = Math.max((await means.store.anchor()).seq, await means.file.last());
    await trail.#copy();
    trail.#timers.push(
      setInterval(() => trail.#quietly(trail.#record(trail.#tally.flush(means.now()))), tallyMs),
      setInterval(() => trail.#quietly(trail.verify()), verifyEveryMs),
    );
    trail.#quietly(trail.verify());
    return trail;
  }

  /** The last verification; undefined while the first one runs. */
  get verified(): Verification | undefined {
    return this.#verified;
  }

  /** Writes down what is about to be tried. @throws SwiftletError StorageFull: then it is not to be tried */
  begin(attempt: Attempt): Promise<void> {
    return this.#means.store.begin(attempt);
  }

  /** Records how an attempt ended that was begun. */
  async end(attempt: Attempt, result: AuditResult): Promise<void> {
    await this.#record([{ ...attempt, result }]);
  }

  /** Records an attempt that was refused before it began; of many alike the first at once, the others together. */
  async refused(attempt: Attempt, result: AuditResult): Promise<void> {
    const entry = this.#tally.note({ ...attempt, result }, this.#means.now());
    if (entry !== undefined) await this.#record([entry]);
  }

  /** Records what the platform did by itself. Never rejects: nothing of it waits for this. */
  note(tenant: string, action: string, target: string, note: string): void {
    const entry: AuditEntry = {
      time: new Date(this.#means.now()).toISOString(),
      tenant,
      actor: { kind: 'platform', id: 'control' },
      source: '',
      action,
      target,
      requestId: this.#means.newId(),
      result: { status: 200 },
      note,
    };
    this.#quietly(this.#record([entry]));
  }

  /** Records as they are stored, a JSON object each, oldest first. */
  async lines(page: AuditPage): Promise<string[]> {
    return (await this.#means.store.lines(page)).map(({ line }) => line);
  }

  /** The number after which there are so many records left. */
  before(count: number, tenant?: string): Promise<number> {
    return this.#means.store.before(count, tenant);
  }

  /** Resolves when a record comes, or when this is closed, at the latest after the limit. */
  async next(limitMs: number): Promise<void> {
    if (this.#isClosed) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = () => resolve(undefined);
    const late = setTimeout(wake, limitMs);
    this.#waiting.add(wake);
    await promise;
    clearTimeout(late);
    this.#waiting.delete(wake);
  }

  /** Looks through the whole chain, and its copy. */
  async verify(): Promise<Verification> {
    const { store, file, now, log } = this.#means;
    // In turn with the copying, so that what is being copied does not look as if it were missing, nor what is let go of.
    this.#verified = await this.#turns.take(async () => {
      const head = await store.head();
      await this.#copy();
      return verify(store, file, head, new Date(now()).toISOString());
    });
    this.#means.verified?.(this.#verified.intact);
    if (!this.#verified.intact) log.error({ breaks: this.#verified.breaks }, 'the audit records were changed by somebody else');
    return this.#verified;
  }

  /** Lets those go who wait for records. */
  endWaiting(): void {
    this.#isClosed = true;
    for (const wake of this.#waiting) wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.endWaiting();
    for (const timer of this.#timers) clearInterval(timer);
    await this.#record(this.#tally.flush(Infinity)).catch((error: unknown) => this.#failed(error));
    await this.#turns.take(() => Promise.resolve());
  }

  async #record(entries: readonly AuditEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#means.store.append(entries);
    for (const wake of this.#waiting) wake();
    this.#quietly(
      this.#turns.take(async () => {
        await this.#copy();
        await this.#trim();
      }),
    );
  }

  /** Brings the copy up to date with the store. */
  async #copy(): Promise<void> {
    for (;;) {
      const page = await this.#means.store.lines({ after: this.#copied, limit: atOnce });
      const [first, last] = [page[0], page.at(-1)];
      if (first === undefined || last === undefined) return;
      await this.#means.file.append(
        first.seq,
        page.map(({ line }) => line),
      );
      this.#copied = last.seq;
    }
  }

  async #trim(): Promise<void> {
    const { store, file, kept = keptAuditRecords } = this.#means;
    const [{ seq: from }, { seq: last }] = [await store.anchor(), await store.head()];
    if (last - from <= kept * (1 + slack)) return;
    const upTo = last - kept;
    await store.trim(upTo);
    await file.trim(upTo);
    const { hash } = await store.anchor();
    this.note('*', 'audit trim', '/v1/audit', `records up to ${upTo} were let go of; the hash of the last of them is ${hash}`);
  }

  #quietly(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    this.#means.log.error({ err: error }, 'the audit trail has a problem');
  }
}
