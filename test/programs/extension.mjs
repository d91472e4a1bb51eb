#!/usr/bin/env node
// An extension as AWS documents them: it registers, subscribes to telemetry, and prints what it is told.
import { createServer } from 'node:http';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}`;
const registered = await fetch(`${api}/2020-01-01/extension/register`, {
  method: 'POST',
  headers: { 'Lambda-Extension-Name': basename(process.argv[1]) },
  body: JSON.stringify({ events: ['INVOKE', 'SHUTDOWN'] }),
});
const headers = { 'Lambda-Extension-Identifier': registered.headers.get('lambda-extension-identifier') };
const server = createServer((request, response) => {
  void text(request).then((body) => {
    console.log(`told telemetry ${JSON.parse(body).map(({ type }) => type)}`);
    response.end();
  });
});
await new Promise((resolve) => server.listen(0, process.env.LISTEN_ON ?? 'sandbox.localdomain', resolve));
const subscribed = await fetch(`${api}/2022-07-01/telemetry`, {
  method: 'PUT',
  headers,
  body: JSON.stringify({
    schemaVersion: '2022-12-13',
    types: ['platform', 'function'],
    buffering: { timeoutMs: 25 },
    destination: { protocol: 'HTTP', URI: `http://sandbox.localdomain:${server.address().port}` },
  }),
});
if (!subscribed.ok) throw new Error(await subscribed.text());
for (;;) {
  const event = await (await fetch(`${api}/2020-01-01/extension/event/next`, { headers })).json();
  console.log(`told ${event.eventType} ${event.shutdownReason ?? event.requestId}`);
  if (event.eventType === 'SHUTDOWN') break;
}
process.exit(0);
