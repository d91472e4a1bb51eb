/** A function that tries to get somewhere, and what it says of that. */
import assert from 'node:assert/strict';
import type { E2e } from '../e2e/functions.ts';

export const caller = `import net from 'node:net'; import dgram from 'node:dgram'; import dns from 'node:dns/promises';
const connect = (host, port) => new Promise((resolve) => {
  const began = performance.now(); const socket = net.connect({ host, port: Number(port), autoSelectFamily: false });
  const end = (outcome) => { socket.destroy(); resolve({ outcome, ms: performance.now() - began }); };
  socket.on('error', (error) => end(error.code)); socket.on('connect', () => socket.write('hello')); socket.on('data', (data) => end(String(data)));
});
const datagram = (host, port) => new Promise((resolve) => {
  const began = performance.now(); const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const end = (outcome) => { socket.close(); resolve({ outcome, ms: performance.now() - began }); };
  socket.on('error', (error) => end(error.code));
  socket.connect(Number(port), host, (error) => { if (error) end(error.code); else { socket.send('hello'); setTimeout(() => socket.send('again'), 50); } });
});
const lookup = async (host) => { const began = performance.now(); try { return { outcome: (await dns.lookup(host)).address, ms: performance.now() - began }; } catch (error) { return { outcome: error.code, ms: performance.now() - began }; } };
export const handler = ({ queryStringParameters: { host, port, kind = 'tcp' } }) => kind === 'tcp' ? connect(host, port) : kind === 'udp' ? datagram(host, port) : lookup(host);`;

export interface Tried {
  readonly outcome: string;
  readonly ms: number;
}

/** Has a function of this name, whose source is `caller`, try to get somewhere. @param kind tcp, udp or name */
export async function tryReaching(e2e: E2e, name: string, host: string, port = 80, kind = 'tcp'): Promise<Tried> {
  const answer = await e2e.call(`/${name}/?host=${encodeURIComponent(host)}&port=${port}&kind=${kind}`);
  assert.equal(answer.status, 200, answer.text);
  return { outcome: String(answer.json['outcome']), ms: Number(answer.json['ms']) };
}
