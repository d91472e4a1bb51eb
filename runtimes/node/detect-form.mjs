// Which platform's form a handler has, by its looks. Budget: 20 µs, once.

/** @typedef {'lambda' | 'alibaba-fc' | 'alibaba-fc-http' | 'google-cloud-http' | 'google-cloud-event' | 'tencent-scf'} FormName what the manifest's `form` says */

/** What nobody names so who takes an event. Before it: the function's own head; behind it: a third parameter, or the end. */
const requestAndResponse = /^(?:async\b\s*)?(?:function\b[^(]*|[\w$]*\s*)?\(\s*(?:req|request)\s*,\s*(?:res|resp|response)\s*[,)]/;
const headCharacters = 200;
/** The parameters of (req, resp, context): Alibaba's; without the third one it is Google's and Express's. */
const withContext = 3;
const withoutContext = 2;

/** Tencent's own name for a handler. */
export const tencentName = 'main_handler';

/**
 * @param {Function} handler @param {string} name of the export
 * @param {(name: string) => unknown} exported what else its module exports
 * @returns {FormName}
 */
export function detectForm(handler, name, exported) {
  if (name === tencentName) return 'tencent-scf';
  const { length } = handler;
  const isHttp = (length === withContext || length === withoutContext) && takesRequest(handler);
  if (isHttp) return length === withContext ? 'alibaba-fc-http' : 'google-cloud-http';
  return typeof exported('initializer') === 'function' ? 'alibaba-fc' : 'lambda';
}

/** @param {Function} handler */
const takesRequest = (handler) => requestAndResponse.test(Function.prototype.toString.call(handler).slice(0, headCharacters));
