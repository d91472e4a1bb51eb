/** Asks a proxy through its tunnel whether it is there. */
import { createSocket, type Socket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import type { NetworkCounts } from '../../../wire/agent-calls.ts';
import { maxProbeBytes, type Probe, probeAnswerSchema, probePort, tunnelEnds } from '../../../wire/tunnel.ts';

/** What is lost once is asked once more: packets are lost on the best of lines. */
const againAfterMs = 60;
const largestNumber = 2 ** 48 - 1;

export class Prober implements Disposable {
  readonly #socket: Socket;
  #asked: number | undefined;
  #isAnswered = false;
  #again: NodeJS.Timeout | undefined;
  #counts: NetworkCounts | undefined;

  /** @param fd of a UDP socket on the platform's end of the tunnel; this closes it */
  constructor(fd: number) {
    this.#socket = createSocket('udp4');
    // That nothing answers is what is asked for; why is not told apart.
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (bytes) => this.#take(bytes));
    this.#socket.bind({ fd });
    this.#socket.unref();
  }

  /** Whether the last question was answered; undefined before the first one. */
  get isAnswered(): boolean | undefined {
    return this.#asked === undefined ? undefined : this.#isAnswered;
  }

  /** What the proxy said last. */
  get counts(): NetworkCounts | undefined {
    return this.#counts;
  }

  /** Asks anew; what answers an earlier question counts no more. */
  ask(): void {
    clearTimeout(this.#again);
    const probe = randomInt(largestNumber);
    this.#asked = probe;
    this.#isAnswered = false;
    this.#send({ probe });
    this.#again = setTimeout(() => {
      if (!this.#isAnswered) this.#send({ probe });
    }, againAfterMs).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#again);
    this.#socket.close();
  }

  #send(probe: Probe): void {
    this.#socket.send(JSON.stringify(probe), probePort, tunnelEnds.proxy.address, () => undefined);
  }

  #take(bytes: Buffer): void {
    const answer = bytes.length > maxProbeBytes ? undefined : parseAnswer(bytes);
    if (answer === undefined || answer.probe !== this.#asked) return;
    this.#isAnswered = true;
    this.#counts = answer.counts;
  }
}

function parseAnswer(bytes: Buffer) {
  try {
    return probeAnswerSchema.safeParse(JSON.parse(bytes.toString())).data;
  } catch {
    return undefined;
  }
}
