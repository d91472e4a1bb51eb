// A server as anybody writes one: what test/e2e/servers.test.ts asks of it.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const { PORT, K_SERVICE, K_REVISION } = process.env;
let served = 0;
let atOnce = 0;

createServer(async (request, response) => {
  served += 1;
  switch (request.url) {
    case '/echo':
      response.writeHead(201, { 'X-Method': request.method, 'Set-Cookie': ['a=1', 'b=2'] });
      request.pipe(response);
      return;
    case '/stream':
      response.write('one ');
      await once(request, 'data');
      response.end('two');
      return;
    case '/together':
      atOnce += 1;
      while (atOnce < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      response.end('both');
      return;
    case '/abort':
      response.write('half');
      response.destroy();
      return;
    case '/exit':
      console.error('leaving');
      process.exit(4);
      return;
    case '/':
      if (request.method === 'POST') {
        const event = await text(request);
        response.writeHead(event.includes('"bad"') ? 422 : 200, { 'content-type': 'application/json' });
        response.end(event.includes('"bad"') ? 'cannot do that' : event);
        return;
      }
      console.log('asked');
      response.end(
        JSON.stringify({ PORT, K_SERVICE, K_REVISION, served, host: request.headers.host, id: request.headers['x-swiftlet-request-id'] }),
      );
      return;
    default:
      response.writeHead(404).end();
  }
}).listen(PORT);
