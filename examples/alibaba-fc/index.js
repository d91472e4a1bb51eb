// Two handlers as Function Compute documents them: one that takes events, with an initializer, and one that takes requests.
'use strict';

let greeting;

exports.initializer = (context, callback) => {
  greeting = 'Hello';
  callback(null, '');
};

exports.handler = (event, context, callback) => {
  const { name = 'world' } = JSON.parse(event.toString() || '{}');
  context.logger.info(`greets ${name}`);
  callback(null, JSON.stringify({ message: `${greeting}, ${name}!`, requestId: context.requestId }));
};

exports.http = (req, resp, context) => {
  const pieces = [];
  req.on('data', (piece) => pieces.push(piece));
  req.on('end', () => {
    const { path, queries, method, clientIP } = req;
    resp.setStatusCode(200);
    resp.setHeader('content-type', 'application/json');
    resp.setHeader('x-function', context.function.name);
    resp.send(JSON.stringify({ path, queries, method, clientIP, body: Buffer.concat(pieces).toString() }));
  });
};
