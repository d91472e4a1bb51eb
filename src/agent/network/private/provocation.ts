/**
 * Ends connections at once whose proxy has died. Nobody here knows where in their streams they are, and only who knows that can reset one. So
 * each gets a segment that fits nowhere: TCP answers that with where it is (RFC 9293, 3.10.7.4), and the router answers the answer with a reset.
 */
import type { Flow } from '../../linux/conntrack.ts';

const ipHeaderBytes = 20;
const tcpHeaderBytes = 20;
const version4 = 0x45;
const lifetimeHops = 64;
const acknowledges = 0x10;
/** With a byte in it: segments without are answered only now and then. */
const payload = Buffer.from([0]);

/**
 * Such a segment, from the one whom a connection was opened to, to the one who opened it. Pure.
 * @param sequence 32 bits by chance
 */
export function provocation({ source, destination, sourcePort, destinationPort, protocol }: Flow, sequence: number): Buffer {
  const packet = Buffer.alloc(ipHeaderBytes + tcpHeaderBytes + payload.length);
  packet.writeUInt8(version4, 0);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt8(lifetimeHops, 8);
  packet.writeUInt8(protocol, 9);
  destination.copy(packet, 12);
  source.copy(packet, 16);
  const segment = packet.subarray(ipHeaderBytes);
  segment.writeUInt16BE(destinationPort, 0);
  segment.writeUInt16BE(sourcePort, 2);
  segment.writeUInt32BE(sequence, 4);
  segment.writeUInt8((tcpHeaderBytes / 4) << 4, 12);
  segment.writeUInt8(acknowledges, 13);
  payload.copy(segment, tcpHeaderBytes);
  const pseudoHeader = Buffer.alloc(12);
  packet.copy(pseudoHeader, 0, 12, 20);
  pseudoHeader.writeUInt8(protocol, 9);
  pseudoHeader.writeUInt16BE(segment.length, 10);
  segment.writeUInt16BE(checksum(Buffer.concat([pseudoHeader, segment])), 16);
  return packet;
}

/** Of the internet (RFC 1071). */
export function checksum(bytes: Buffer): number {
  const whole = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  let sum = 0;
  for (let at = 0; at < whole.length; at += 2) sum += whole.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
