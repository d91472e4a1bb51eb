'use strict';
// What a function finds as @google-cloud/functions-framework: it registers handlers, and starts no server.

const registered = new Map();

exports.http = (name, handler) => {
  register('google-cloud-http', name, handler);
};
exports.cloudEvent = (name, handler) => {
  register('google-cloud-event', name, handler);
};
/** For the runtime alone, see google-form.mjs. */
exports[Symbol.for('swiftlet.registered')] = registered;

function register(form, name, handler) {
  if (typeof name !== 'string' || typeof handler !== 'function')
    throw new TypeError(`a function is registered by its name and a handler, not by a ${typeof name} and a ${typeof handler}`);
  registered.set(name, { form, handler });
}
