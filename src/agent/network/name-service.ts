/** Answers a sandbox's questions for names: what its policy allows is asked of the host's servers, and opened before it is told. */
import dns, { type Answer, type DecodedPacket, type Question } from 'dns-packet';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import type { Line } from './address-plan.ts';
import { decideName, deniedAlias } from './name-decision.ts';
import type { ResolvedAddress } from './name-pins.ts';

export interface NameServiceMeans {
  /** Asks whose a line is; `know` tells. */
  who(line: Line): void;
  ask(question: Question): Promise<DecodedPacket>;
  /** Opens addresses for a line. @throws Error when it could not be done */
  pin(line: Line, indexes: readonly number[], found: readonly ResolvedAddress[]): Promise<void>;
  /** Tells a refused name. */
  refused(line: Line, name: string, why: string): void;
}

/** Questions under way: of one line, and of all. */
const questionsPerLine = 64;
const questionsAtOnce = 1_024;
/** Whose a line is comes at once, but from an agent that has just begun. */
const unknownLimitMs = 1_000;
const code = { noError: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4 } as const;
const codeMask = 0xf;
const opcodeMask = 0x7800;
/** What every resolver takes over UDP, and what one that says more gets at most: larger answers are asked for again over TCP. */
const plainBytes = 512;
const mostBytes = 1_232;

export class NameService {
  readonly #means: NameServiceMeans;
  readonly #policies = new Map<Line, NetworkPolicy>();
  readonly #unknown = new Map<Line, (() => void)[]>();
  readonly #asking = new Map<Line, number>();
  #all = 0;

  constructor(means: NameServiceMeans) {
    this.#means = means;
  }

  /** Whose line it is from now on. @param policy absent: nobody’s */
  know(line: Line, policy: NetworkPolicy | undefined): void {
    if (policy === undefined) this.#policies.delete(line);
    else this.#policies.set(line, policy);
    for (const go of this.#unknown.get(line) ?? []) go();
    this.#unknown.delete(line);
  }

  /**
   * @param bytes a question as it came
   * @param limitBytes what the answer may take; absent: as over UDP
   * @returns the answer; undefined for what deserves none
   */
  async answer(line: Line, bytes: Buffer, limitBytes?: number): Promise<Buffer | undefined> {
    const asked = decoded(bytes);
    if (asked?.type !== 'query') return undefined;
    const mine = this.#asking.get(line) ?? 0;
    if (mine >= questionsPerLine || this.#all >= questionsAtOnce) return reply(asked, code.serverFailure);
    this.#asking.set(line, mine + 1);
    this.#all += 1;
    try {
      return fitting(await this.#resolve(line, asked), asked, limitBytes ?? room(asked));
    } finally {
      this.#all -= 1;
      const left = (this.#asking.get(line) ?? 1) - 1;
      if (left === 0) this.#asking.delete(line);
      else this.#asking.set(line, left);
    }
  }

  async #resolve(line: Line, asked: DecodedPacket): Promise<Buffer | undefined> {
    const [question, ...more] = asked.questions ?? [];
    if (question === undefined || more.length > 0) return reply(asked, code.formatError);
    if (((asked.flags ?? 0) & opcodeMask) !== 0) return reply(asked, code.notImplemented);
    const policy = await this.#policyOf(line);
    if (policy === undefined) return undefined;
    const name = question.name.toLowerCase();
    const decision = decideName(policy, name);
    if (decision.kind === 'refuse') return this.#refuse(line, asked, name, decision.why);
    try {
      const found = await this.#means.ask({ ...question, name });
      const answers = found.answers ?? [];
      const denied = deniedAlias(policy, aliases(answers));
      if (denied !== undefined) return this.#refuse(line, asked, name, denied);
      const addresses = addressesIn(answers);
      if (decision.pins.length > 0 && addresses.length > 0) await this.#means.pin(line, decision.pins, addresses);
      return reply(asked, codeOf(found), answers);
    } catch {
      return reply(asked, code.serverFailure);
    }
  }

  #refuse(line: Line, asked: DecodedPacket, name: string, why: string): Buffer {
    this.#means.refused(line, name, why);
    return reply(asked, code.noSuchName);
  }

  async #policyOf(line: Line): Promise<NetworkPolicy | undefined> {
    if (this.#policies.has(line)) return this.#policies.get(line);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const go = () => resolve(undefined);
    const waiting = this.#unknown.get(line) ?? [];
    this.#unknown.set(line, [...waiting, go]);
    if (waiting.length === 0) this.#means.who(line);
    const limit = setTimeout(() => {
      // Nobody is to be told any more: whoever asks next waits anew.
      this.#unknown.delete(line);
      go();
    }, unknownLimitMs);
    await promise;
    clearTimeout(limit);
    return this.#policies.get(line);
  }
}

function decoded(bytes: Buffer): DecodedPacket | undefined {
  try {
    return dns.decode(bytes);
  } catch {
    return undefined;
  }
}

function reply({ id, questions }: DecodedPacket, errorCode: number, answers: readonly Answer[] = []): Buffer {
  const flags = dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE | errorCode;
  return dns.encode({ type: 'response', id: id ?? 0, flags, questions: questions ?? [], answers: [...answers] });
}

/** The package says an answer’s code by name, and keeps its number among the flags. */
const codeOf = ({ flags }: DecodedPacket): number => (flags ?? 0) & codeMask;

/** What does not fit is left out, and marked so. */
function fitting(answer: Buffer | undefined, { id, questions }: DecodedPacket, limitBytes: number): Buffer | undefined {
  if (answer === undefined || answer.length <= limitBytes) return answer;
  const flags = dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE | dns.TRUNCATED_RESPONSE;
  return dns.encode({ type: 'response', id: id ?? 0, flags, questions: questions ?? [] });
}

/** What the asker says that it takes. */
function room({ additionals }: DecodedPacket): number {
  const options = (additionals ?? []).find((each) => each.type === 'OPT');
  return options === undefined ? plainBytes : Math.max(plainBytes, Math.min(mostBytes, options.udpPayloadSize));
}

const aliases = (answers: readonly Answer[]): string[] =>
  answers.flatMap((answer) => (answer.type === 'CNAME' ? [answer.data.toLowerCase()] : []));

const addressesIn = (answers: readonly Answer[]): ResolvedAddress[] =>
  answers.flatMap((answer) =>
    answer.type === 'A' || answer.type === 'AAAA' ? [{ address: answer.data, ttlSeconds: answer.ttl ?? 0 }] : [],
  );
