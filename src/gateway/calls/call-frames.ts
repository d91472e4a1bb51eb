/** What is said about calls between functions, as bytes. */
import { callKind, type callOutcome } from '../../wire/instance-protocol.ts';

/** A function's call of another one. */
export interface FunctionCall {
  /** The runtime's own; the answer carries it back. */
  readonly number: number;
  readonly isAsync: boolean;
  readonly function: string;
  /** JSON, if the runtime is honest. */
  readonly event: Buffer;
}

const fixedBytes = 6;

/** @returns undefined for what is no call. The name may be any text */
export function readCall(payload: Buffer): FunctionCall | undefined {
  if (payload.length < fixedBytes) return undefined;
  const kind = payload.readUInt8(4);
  const nameEnd = fixedBytes + payload.readUInt8(5);
  if (payload.length < nameEnd || (kind !== callKind.sync && kind !== callKind.async)) return undefined;
  return {
    number: payload.readUInt32BE(0),
    isAsync: kind === callKind.async,
    function: payload.toString('latin1', fixedBytes, nameEnd),
    // What it came in may have much else in it, which this would keep.
    event: Buffer.from(payload.subarray(nameEnd)),
  };
}

/** The payload of a `callAnswer`. */
export function callAnswer(number: number, outcome: (typeof callOutcome)[keyof typeof callOutcome], body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(number, 0);
  head.writeUInt8(outcome, 4);
  return Buffer.concat([head, body]);
}
