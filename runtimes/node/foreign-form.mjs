// The forms of other platforms: a file for each, beside the runtime's one, of which a function loads the one that it needs.
import { formTools } from './form-tools.mjs';

/** @typedef {import('./detect-form.mjs').FormName} FormName @typedef {import('./form-tools.mjs').Platform} Platform @typedef {import('./instance.mjs').InitRequest} InitRequest */

/** Prepared before its modules are evaluated, when its form is declared; else before it is opened. @type {Platform | undefined} */
let prepared;

/** @param {FormName} name @returns {Promise<Platform>} */
async function platformOf(name) {
  if (name === 'tencent-scf') return (await import('./tencent-form.mjs')).tencent;
  return name.startsWith('google') ? (await import('./google-form.mjs')).google : (await import('./alibaba-form.mjs')).alibaba;
}

/** @param {FormName} name @param {InitRequest} settings */
export async function prepareForm(name, settings) {
  const platform = await platformOf(name);
  platform.prepare(settings);
  prepared = platform;
}

/** @param {FormName} name @param {import('./form-tools.mjs').Exported} exported @param {InitRequest} settings */
export async function openForm(name, exported, settings) {
  if (prepared === undefined) await prepareForm(name, settings);
  return prepared?.open(name, exported, settings, formTools);
}
