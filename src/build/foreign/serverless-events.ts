/** Events of a function in `serverless.yml`: routes, timers, and who may call. Pure. */
import { isRecord, list, type NotTaken, type Path, section, word } from './foreign-manifest.ts';
import { corsOf, type CorsNames, everyPath, routeLine, scheduleOf, takePayload, timerName } from './lambda-words.ts';
import type { YamlText } from './yaml-text.ts';

type Section = Readonly<Record<string, unknown>>;

const corsNames: CorsNames = {
  origins: 'allowedOrigins',
  origin: 'origin',
  methods: 'allowedMethods',
  headers: 'allowedHeaders',
  expose: 'exposedResponseHeaders',
  credentials: 'allowCredentials',
  maxAge: 'maxAge',
};
/** `http` has older names for some of them. */
const restCorsNames: CorsNames = { ...corsNames, origins: 'origins', methods: 'methods', headers: 'headers' };
const httpKeys = ['path', 'method', 'cors'];
const scheduleKeys = ['rate', 'enabled', 'name', 'timezone', 'method'];
const urlKeys = ['authorizer', 'cors', 'invokeMode'];

/** What a function's events come to. */
interface Gathered {
  readonly routes: string[];
  readonly timers: Record<string, unknown>;
  cors: Section | undefined;
  /** In which format of AWS its handler gets requests. */
  payload?: string;
  /** Whether it has an address at AWS that sends answers whole. */
  isBuffered?: boolean;
  /** Whether somebody may call it whom AWS would ask for nothing. */
  isOpen: boolean;
  /** Whether somebody has to show something that is not asked for here. */
  isGuarded: boolean;
}

/** What they add to its entry in the manifest. */
export function readEvents(text: YamlText, notTaken: NotTaken, own: Section, provider: Section, at: Path): Section {
  const gathered: Gathered = { routes: [], timers: {}, cors: undefined, isOpen: false, isGuarded: false };
  readUrl(text, notTaken, own['url'], [...at, 'url'], gathered);
  for (const [index, event] of list(text, own['events'], [...at, 'events']).entries()) {
    const place = [...at, 'events', index];
    const [kind, value] =
      typeof event === 'string' ? [event, undefined] : (Object.entries(section(text, event, place))[0] ?? ['', undefined]);
    if (kind === 'http' || kind === 'httpApi') readHttp(text, notTaken, kind, value, [...place, kind], provider, gathered);
    else if (kind === 'schedule') readSchedules(text, notTaken, value, [...place, kind], gathered);
    else notTaken.add(typeof event === 'string' ? place : [...place, kind]);
  }
  const { routes, timers, cors, isOpen, isGuarded } = gathered;
  return {
    // As a Lambda function without an address of its own: nobody calls it who has no token.
    url: isOpen && !isGuarded ? 'public' : 'token',
    ...(routes.length === 0 ? {} : { routes }),
    ...(Object.keys(timers).length === 0 ? {} : { timers }),
    ...(cors === undefined ? {} : { cors }),
    ...(gathered.payload === '1.0' ? { payload: '1.0' } : {}),
    ...(gathered.isBuffered === true ? { invokeMode: 'buffered' } : {}),
  };
}

function readHttp(
  text: YamlText,
  notTaken: NotTaken,
  kind: 'http' | 'httpApi',
  value: unknown,
  at: Path,
  provider: Section,
  gathered: Gathered,
): void {
  const route = typeof value === 'string' ? inOneLine(value) : section(text, value, at);
  notTaken.addOthers(route, at, [...httpKeys, 'authorizer', 'private']);
  if (route['authorizer'] !== undefined || route['private'] === true) {
    gathered.isGuarded = true;
    notTaken.add(
      [...at, route['private'] === true ? 'private' : 'authorizer'],
      'not supported: the function asks for a token instead; "url" in swiftlet.yaml has jwt and hmac',
    );
  } else gathered.isOpen = true;
  if (kind === 'http') notTaken.add(at, 'the path has no stage in front');
  takePayload(notTaken, gathered, kind === 'http' ? '1.0' : payloadOf(text, provider), at);
  if (route['path'] === '*') gathered.routes.push(...everyPath);
  else gathered.routes.push(routeLine(word(text, route['method'] ?? '*', at), word(text, route['path'] ?? '', at)));
  const ofProvider = section(text, provider['httpApi'], ['provider', 'httpApi'])['cors'];
  gathered.cors ??= kind === 'http' ? corsOf(route['cors'], restCorsNames) : corsOf(ofProvider, corsNames);
}

/** Of all its HTTP APIs. */
const payloadOf = (text: YamlText, provider: Section): string =>
  word(text, section(text, provider['httpApi'], ['provider', 'httpApi'])['payload'] ?? '2.0', ['provider', 'httpApi', 'payload']);

/** `GET /users`, `*`. */
function inOneLine(value: string): Section {
  const [first = '', second] = value.trim().split(/\s+/);
  return second === undefined ? { method: '*', path: first } : { method: first, path: second };
}

function readSchedules(text: YamlText, notTaken: NotTaken, value: unknown, at: Path, gathered: Gathered): void {
  const wish = isRecord(value) ? value : { rate: value };
  if (wish['enabled'] === false) {
    notTaken.add(at, 'it is not enabled: there is no timer for it');
    return;
  }
  notTaken.addOthers(wish, at, scheduleKeys);
  const rates = Array.isArray(wish['rate']) ? wish['rate'] : [wish['rate']];
  if (rates[0] === undefined) throw text.refuse(at, 'it has a rate');
  for (const rate of rates) {
    const found = scheduleOf(word(text, rate, at));
    const count = Object.keys(gathered.timers).length;
    const zone = wish['timezone'] === undefined ? {} : { timeZone: wish['timezone'] };
    if ('why' in found) notTaken.add(at, found.why);
    else gathered.timers[timerName(rates.length === 1 ? wish['name'] : undefined, count)] = { ...found.timer, ...zone };
  }
}

/** A function's own address. */
function readUrl(text: YamlText, notTaken: NotTaken, value: unknown, at: Path, gathered: Gathered): void {
  if (value === undefined || value === false) return;
  const wish = value === true ? {} : section(text, value, at);
  notTaken.addOthers(wish, at, urlKeys);
  if (wish['authorizer'] === undefined) gathered.isOpen = true;
  else {
    gathered.isGuarded = true;
    notTaken.add([...at, 'authorizer'], 'whoever calls it shows a token of the platform, or calls it by the Lambda API');
  }
  gathered.cors = corsOf(wish['cors'], corsNames);
  gathered.isBuffered = wish['invokeMode'] !== 'RESPONSE_STREAM';
}
