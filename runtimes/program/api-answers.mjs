// What the Runtime API says of a request of the program's, as AWS Lambda words it.
import { Buffer, stringify } from '../node/intrinsics.mjs';

/** @param {import('node:http').ServerResponse} response */
export const accepted = (response) => write(response, 202, { status: 'OK' });

/** @param {import('node:http').ServerResponse} response @param {number} status @param {string} errorType @param {string} errorMessage */
export function refuse(response, status, errorType, errorMessage) {
  // What is left of the request is read, so that its sender comes to reading this.
  response.req.resume();
  write(response, status, { errorMessage, errorType });
}

/** @param {import('node:http').ServerResponse} response @param {number} status @param {object} value */
function write(response, status, value) {
  const body = Buffer.from(stringify(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}
