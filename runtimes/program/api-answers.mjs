// What the APIs say of a request of the program's or an extension's, as AWS Lambda words it.
import { Buffer, stringify } from '../node/intrinsics.mjs';

/** @param {import('node:http').ServerResponse} response */
export const accepted = (response) => writeJson(response, 202, { status: 'OK' });

/** @param {import('node:http').ServerResponse} response @param {number} status @param {string} errorType @param {string} errorMessage */
export function refuse(response, status, errorType, errorMessage) {
  // What is left of the request is read, so that its sender comes to reading this.
  response.req.resume();
  writeJson(response, status, { errorMessage, errorType });
}

/** @param {import('node:http').ServerResponse} response @param {number} status @param {unknown} value */
export function writeJson(response, status, value) {
  const body = Buffer.from(stringify(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}
