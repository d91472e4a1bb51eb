/** Events of a function in a SAM template: routes, timers, and who may call. Pure. */
import type { Intrinsics } from './cloudformation.ts';
import { isRecord, kebab, type NotTaken, type Path, section, word } from './foreign-manifest.ts';
import { corsOf, type CorsNames, everyPath, routeLine, scheduleOf, takePayload } from './lambda-words.ts';
import type { YamlText } from './yaml-text.ts';

type Section = Readonly<Record<string, unknown>>;

const corsNames: CorsNames = {
  origins: 'AllowOrigins',
  origin: 'AllowOrigin',
  methods: 'AllowMethods',
  headers: 'AllowHeaders',
  expose: 'ExposeHeaders',
  credentials: 'AllowCredentials',
  maxAge: 'MaxAge',
};
const scheduleKeys = ['Schedule', 'ScheduleExpression', 'ScheduleExpressionTimezone', 'Enabled', 'State'];

interface Gathered {
  readonly routes: string[];
  readonly timers: Record<string, unknown>;
  /** In which format of AWS its handler gets requests. */
  payload?: string;
  isOpen: boolean;
  isGuarded: boolean;
}

/** What they add to its entry in the manifest. */
export function readSamEvents(text: YamlText, notTaken: NotTaken, intrinsics: Intrinsics, function_: Section, at: Path): Section {
  const gathered: Gathered = { routes: [], timers: {}, isOpen: false, isGuarded: false };
  for (const [id, value] of Object.entries(section(text, function_['Events'], [...at, 'Events']))) {
    const place = [...at, 'Events', id];
    const event = section(text, value, place);
    const properties = section(text, intrinsics.resolved(event['Properties']), [...place, 'Properties']);
    const type = String(event['Type']);
    if (type === 'HttpApi' || type === 'Api') readHttp(text, notTaken, type, properties, place, gathered);
    else if (type === 'Schedule' || type === 'ScheduleV2') readSchedule(text, notTaken, id, properties, place, gathered);
    else notTaken.add(place, `${type} is not supported: nothing comes from it`);
  }
  const address = section(text, intrinsics.resolved(function_['FunctionUrlConfig']), [...at, 'FunctionUrlConfig']);
  if (address['AuthType'] === 'NONE') gathered.isOpen = true;
  else if (address['AuthType'] !== undefined) {
    gathered.isGuarded = true;
    notTaken.add([...at, 'FunctionUrlConfig', 'AuthType'], 'whoever calls it shows a token of the platform, or calls it by the Lambda API');
  }
  notTaken.addOthers(address, [...at, 'FunctionUrlConfig'], ['AuthType', 'Cors', 'InvokeMode']);
  const cors = corsOf(address['Cors'], corsNames);
  return {
    url: gathered.isOpen && !gathered.isGuarded ? 'public' : 'token',
    ...(gathered.routes.length === 0 ? {} : { routes: gathered.routes }),
    ...(Object.keys(gathered.timers).length === 0 ? {} : { timers: gathered.timers }),
    ...(cors === undefined ? {} : { cors }),
    ...(gathered.payload === '1.0' ? { payload: '1.0' } : {}),
    ...(Object.keys(address).length === 0 || address['InvokeMode'] === 'RESPONSE_STREAM' ? {} : { invokeMode: 'buffered' }),
  };
}

function readHttp(text: YamlText, notTaken: NotTaken, type: string, properties: Section, at: Path, gathered: Gathered): void {
  const place = [...at, 'Properties'];
  notTaken.addOthers(properties, place, ['Path', 'Method', 'Auth', 'PayloadFormatVersion']);
  if (properties['Auth'] === undefined || (isRecord(properties['Auth']) && properties['Auth']['Authorizer'] === 'NONE'))
    gathered.isOpen = true;
  else {
    gathered.isGuarded = true;
    notTaken.add([...place, 'Auth'], 'not supported: the function asks for a token instead; "url" in swiftlet.yaml has jwt and hmac');
  }
  if (type === 'Api') notTaken.add(at, 'the path has no stage in front');
  takePayload(notTaken, gathered, type === 'Api' ? '1.0' : word(text, properties['PayloadFormatVersion'] ?? '2.0', place), at);
  const path = properties['Path'];
  if (path === undefined) gathered.routes.push(...everyPath);
  else gathered.routes.push(routeLine(word(text, properties['Method'] ?? 'ANY', place), word(text, path, place)));
}

function readSchedule(text: YamlText, notTaken: NotTaken, id: string, properties: Section, at: Path, gathered: Gathered): void {
  const place = [...at, 'Properties'];
  if (properties['Enabled'] === false || properties['State'] === 'DISABLED') {
    notTaken.add(at, 'it is not enabled: there is no timer for it');
    return;
  }
  notTaken.addOthers(properties, place, scheduleKeys);
  const found = scheduleOf(word(text, properties['Schedule'] ?? properties['ScheduleExpression'], place));
  const zone = properties['ScheduleExpressionTimezone'];
  if ('why' in found) notTaken.add(place, found.why);
  else gathered.timers[kebab(id)] = { ...found.timer, ...(zone === undefined ? {} : { timeZone: zone }) };
}
