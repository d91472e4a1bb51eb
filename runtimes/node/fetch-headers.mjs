// The headers of a Response, as an answer's head has them.

/** How a body came to a function is no longer true of the answer it is passed on in. */
const ofOneConnection = new Set(['transfer-encoding', 'connection', 'keep-alive']);

/** @param {Headers} headers @returns {string[]} names in lower case and values in turn */
export function flattenFetchHeaders(headers) {
  /** @type {string[]} */
  const flat = [];
  headers.forEach((value, name) => {
    // Joined by forEach() for some makers of Headers; taken one by one below.
    if (name !== 'set-cookie' && !ofOneConnection.has(name)) flat.push(name, value);
  });
  for (const cookie of headers.getSetCookie?.() ?? []) flat.push('set-cookie', cookie);
  return flat;
}
