/** What Serverless and SAM have in common: Lambda's words, in ours. Pure. */
import { runtimeOfLambda, lambdaRuntimes } from '../../model/lambda-runtimes.ts';
import { parseLayer } from '../../model/layer.ts';
import type { RuntimeName } from '../../model/runtimes.ts';
import { isRecord, type NotTaken, type Path, word } from './foreign-manifest.ts';
import type { YamlText } from './yaml-text.ts';

/** @throws SwiftletError for a runtime that there is not */
export function runtimeFor(text: YamlText, value: unknown, at: Path): RuntimeName | undefined {
  if (value === undefined) return undefined;
  const runtime = runtimeOfLambda(word(text, value, at));
  if (runtime !== undefined) return runtime;
  throw text.refuse(at, `there is no runtime ${JSON.stringify(value)} here; it is one of ${lambdaRuntimes.join(', ')}`);
}

/** A value that is text, a number, or true or false; what AWS would have to say is told of and left out. */
export function environmentOf(values: Readonly<Record<string, unknown>>, at: Path, notTaken: NotTaken): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') environment[name] = String(value);
    else notTaken.add([...at, name], 'its value is AWS’s to say: the variable is not set; write out what it stands for');
  }
  return environment;
}

const layerArn = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:/;

/** Layers by their ARNs, or by `name:version`: those of this platform, whatever account an ARN names. @returns undefined for none */
export function layersOf(values: readonly unknown[], at: Path, notTaken: NotTaken): string[] | undefined {
  const layers = values.flatMap((value, index) => {
    const reference = typeof value === 'string' ? value.replace(layerArn, '') : '';
    if (parseLayer(reference) !== undefined) return [reference];
    notTaken.add([...at, index], 'it names no version of a layer that there could be here');
    return [];
  });
  return layers.length === 0 ? undefined : layers;
}

/** A handler gets all of its requests in one format. @param said how AWS would have that of one route; without quotation marks it is a number */
export function takePayload(notTaken: NotTaken, gathered: { payload?: string }, said: string, at: Path): void {
  const format = said === '1' || said === '1.0' ? '1.0' : '2.0';
  gathered.payload ??= format;
  if (gathered.payload !== format)
    notTaken.add(at, `the handler gets requests in one format, that of its first route: payload ${gathered.payload}, not ${format}`);
}

/** One route, as a line of the manifest. @param method any case; `*`, `any` and `x-amazon-apigateway-any-method` are all of them */
export function routeLine(method: string, path: string): string {
  const upper = method.toUpperCase();
  const withSlash = path.startsWith('/') ? path : `/${path}`;
  const plain = withSlash.length > 1 ? withSlash.replace(/\/$/, '') : withSlash;
  return `${upper === '*' || upper.endsWith('ANY-METHOD') ? 'ANY' : upper} ${plain}`;
}

/** A route that takes everything that no other one takes. */
export const everyPath = ['ANY /', 'ANY /{proxy+}'];

const ratePattern = /^rate\((\d+) (minute|hour|day)s?\)$/;
const cronPattern = /^cron\(([^)]*)\)$/;
const atPattern = /^at\(([^)]*)\)$/;
const minutesOf: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1_440 };
const cronFields = 6;

/** A timer as the manifest has it, or why there can be none. */
export type ScheduleFound = { readonly timer: Readonly<Record<string, string>> } | { readonly why: string };

/** @param expression `rate(5 minutes)`, `cron(0 12 * * ? *)`, `at(2026-11-20T13:00:00)` */
export function scheduleOf(expression: string): ScheduleFound {
  const [, count, unit = ''] = ratePattern.exec(expression) ?? [];
  if (count !== undefined) return { timer: { rate: `${Number(count) * (minutesOf[unit] ?? 1)}m` } };
  const [, at] = atPattern.exec(expression) ?? [];
  if (at !== undefined) return { timer: { at } };
  const [, fields] = cronPattern.exec(expression) ?? [];
  if (fields === undefined) return { why: `${JSON.stringify(expression)} is neither rate(…), cron(…) nor at(…): there is no timer for it` };
  return cronOf(fields.trim().split(/\s+/));
}

/** AWS has six fields, the year among them, and counts weekdays from 1 for Sunday; cron has five, and counts from 0. */
function cronOf(fields: readonly string[]): ScheduleFound {
  const [minute = '', hour = '', day = '', month = '', weekday = '', year = ''] = fields;
  if (fields.length !== cronFields) return { why: 'cron(…) has six fields: there is no timer for it' };
  if (year !== '*') return { why: 'a timer for certain years is not there: say "at", or deploy it again each year' };
  if (/[LW#]/.test(day.replace(/JUL|WED/gi, '')) || /[L#]/.test(weekday.replace(/JUL/gi, '')))
    return { why: 'L, W and # are not there: there is no timer for it' };
  const everyDay = (field: string) => (field === '?' ? '*' : field);
  const fromZero = everyDay(weekday)
    .split(',')
    .map((part) =>
      part.replace(/^(\d)(?:-(\d))?/, (_whole, first: string, last?: string) =>
        [first, last].flatMap((one) => (one === undefined ? [] : [String(Number(one) - 1)])).join('-'),
      ),
    )
    .join(',');
  return { timer: { cron: [minute, hour, everyDay(day), month, fromZero].join(' ') } };
}

/** A name for the timer of a function's nth schedule. */
export const timerName = (given: unknown, at: number): string =>
  typeof given === 'string' && /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(given) ? given : `schedule-${at + 1}`;

/** CORS as a gateway of AWS has it: `true`, or what it allows. @param names of its keys, which the tools write differently */
export function corsOf(value: unknown, names: CorsNames): Readonly<Record<string, unknown>> | undefined {
  if (value === true) return { origins: ['*'], headers: ['*'] };
  if (!isRecord(value)) return undefined;
  const lines = (key: string) => (value[key] === undefined ? undefined : listOf(value[key]));
  const maxAge = value[names.maxAge];
  const found = {
    origins: lines(names.origins) ?? lines(names.origin) ?? ['*'],
    methods: lines(names.methods)?.filter((method) => method !== '*'),
    headers: lines(names.headers),
    expose: lines(names.expose),
    credentials: value[names.credentials],
    maxAge: typeof maxAge === 'number' ? maxAge : undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, one]) => one !== undefined && !(Array.isArray(one) && one.length === 0)));
}

export interface CorsNames {
  readonly origins: string;
  readonly origin: string;
  readonly methods: string;
  readonly headers: string;
  readonly expose: string;
  readonly credentials: string;
  readonly maxAge: string;
}

/** A list, also where one of it stands alone, or several in one text: `'GET,POST'`, which SAM has in quotes of its own. */
const listOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value.map(String) : String(value).replace(/^'|'$/g, '').split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** Entries without what was not said. */
export const said = (entry: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
