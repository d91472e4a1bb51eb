/** What a function used since the last batch left, as it is sent to the relay. Budget: 10 ns a request. */
import type { UsageCounts } from '../../wire/relay-calls.ts';

export class UsageBatch {
  /** A day in UTC; all of a batch counts for the day it was opened on. */
  readonly day: string;
  warm = 0;
  thawed = 0;
  awakened = 0;
  provisioned = 0;
  cold = 0;
  billedMs = 0;
  mebibyteMs = 0;
  platformMs = 0;
  prepaidMs = 0;

  constructor(day: string) {
    this.day = day;
  }

  get isEmpty(): boolean {
    return this.warm + this.thawed + this.awakened + this.provisioned + this.cold === 0;
  }

  bill(billedMs: number, memoryMiB: number): void {
    this.billedMs += billedMs;
    this.mebibyteMs += billedMs * memoryMiB;
  }

  get counts(): UsageCounts {
    const { day, warm, thawed, awakened, provisioned, cold, billedMs, mebibyteMs, platformMs, prepaidMs } = this;
    return { day, warm, thawed, awakened, provisioned, cold, billedMs, mebibyteMs, platformMs, prepaidMs };
  }
}
