/** Lets an instance send as many bytes more as a caller has taken. */
import { bodyChunkBytes, encodeFrame } from '../../wire/frames.ts';
import { frame } from '../../wire/instance-protocol.ts';
import type { Exchange } from './exchange.ts';

/**
 * Credit goes out in large pieces, so that an instance that reads nothing cannot make much wait for it, and after all else that came in
 * this turn: what an instance may send ahead is also the most that the others' requests wait for.
 */
export function giveCredit(exchange: Exchange, bytes: number): void {
  const isDueAlready = exchange.takenBytes >= bodyChunkBytes;
  exchange.takenBytes += bytes;
  if (!isDueAlready && exchange.takenBytes >= bodyChunkBytes) setImmediate(sendCredit, exchange);
}

function sendCredit(exchange: Exchange): void {
  const { link, stream, takenBytes } = exchange;
  if (link?.streams.get(stream) !== exchange) return;
  const credit = Buffer.allocUnsafe(4);
  credit.writeUInt32BE(takenBytes, 0);
  exchange.responseCredit += takenBytes;
  exchange.takenBytes = 0;
  link.write(encodeFrame(frame.responseCredit, stream, credit));
}
