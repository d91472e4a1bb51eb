// A handler as Tencent's SCF documents it, behind its gateway: the event is the request, what is returned the response.
'use strict';

exports.main_handler = async (event, context) => {
  const { name = 'world' } = event.queryString ?? event;
  console.log(`greets ${name}`);
  const greeting = { message: `Hello, ${name}!`, function: context.function_name };
  if (event.httpMethod === undefined) return greeting;
  return {
    isBase64Encoded: false,
    statusCode: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...greeting, path: event.path, method: event.httpMethod }),
  };
};
