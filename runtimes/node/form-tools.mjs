// What the forms of other platforms need of the runtime. They are files of their own beside its one, each with what it imports in it: what has
// state, or is compared by its class, they are given.
import { createContext } from './context.mjs';
import { Refusal } from './failure.mjs';
import { eventOf } from './event-form.mjs';
import { toEvent } from './function-url-event.mjs';
import { checkStatus, flattenHeaders, jsonBody, toResponse } from './function-url-response.mjs';
import { log, logEnd } from './logs.mjs';

export const formTools = { createContext, eventOf, toEvent, toResponse, jsonBody, flattenHeaders, checkStatus, log, logEnd, Refusal };

/**
 * @typedef {typeof formTools} FormTools
 * @typedef {import('./instance.mjs').InitRequest} InitRequest
 * @typedef {import('./invocation.mjs').Invocation} Invocation
 * @typedef {import('./invocation.mjs').Form} Form
 *
 * What a module exports that has a handler.
 * @typedef {object} Exported
 * @property {Function | undefined} handler bound to what it is a property of
 * @property {string | undefined} name of the export that was asked for; undefined: the usual ones
 * @property {(name: string) => unknown} get
 *
 * A platform whose handlers run here.
 * @typedef {object} Platform
 * @property {(settings: InitRequest) => void} prepare before the user's modules are evaluated: its variables, its library
 * @property {(form: import('./detect-form.mjs').FormName, exported: Exported, settings: InitRequest, tools: FormTools) => Form | undefined | Promise<Form | undefined>} open undefined: there is no handler
 */
