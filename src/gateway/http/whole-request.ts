import { IncomingMessage } from 'node:http';

/** A request again whose body was read as a whole: who takes it finds it as it came, with its body still to be read. */
export function wholeRequest(request: IncomingMessage, body: Buffer): IncomingMessage {
  const whole = new IncomingMessage(request.socket);
  const { httpVersion, httpVersionMajor, httpVersionMinor, method, url, headers, rawHeaders } = request;
  Object.assign(whole, { httpVersion, httpVersionMajor, httpVersionMinor, method, url, headers, rawHeaders, complete: true });
  if (body.length > 0) whole.push(body);
  whole.push(null);
  return whole;
}
