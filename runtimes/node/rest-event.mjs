// An HTTP request as the event that AWS's REST APIs make of it (payload format 1.0), made of what format 2.0 tells.
import { toEvent } from './function-url-event.mjs';

/** @param {import('./invocation.mjs').InvokeHead} head @param {Buffer} body @param {import('./instance.mjs').InitRequest} settings */
export const toHttpEvent = (head, body, settings) =>
  settings.payload === '1.0' ? toRestEvent(head, body, settings.function) : toEvent(head, body, settings.function);

/** @param {import('./invocation.mjs').InvokeHead} head @param {Buffer} body @param {string} functionName */
function toRestEvent(head, body, functionName) {
  const event = /** @type {Record<string, any>} */ (toEvent(head, body, functionName));
  const { rawPath: path, rawQueryString: query, requestContext: context } = event;
  const { accountId, apiId, authorizer, domainName, domainPrefix, requestId, stage, time, timeEpoch } = context;
  const { method: httpMethod, protocol, sourceIp, userAgent } = context.http;
  const resource = resourceOf(context.routeKey);
  const headers = multiValues(pairsOf(head[7]));
  const parameters = query === '' ? null : multiValues(new URLSearchParams(query));
  return {
    version: '1.0',
    resource,
    path,
    httpMethod,
    headers: lastOf(headers),
    multiValueHeaders: headers,
    queryStringParameters: parameters === null ? null : lastOf(parameters),
    multiValueQueryStringParameters: parameters,
    requestContext: {
      accountId,
      apiId,
      ...(authorizer === undefined ? {} : { authorizer: { ...authorizer, ...authorizer.jwt } }),
      domainName,
      domainPrefix,
      extendedRequestId: requestId,
      httpMethod,
      identity: { ...nobody, sourceIp, userAgent },
      path,
      protocol,
      requestId,
      requestTime: time,
      requestTimeEpoch: timeEpoch,
      resourceId: context.routeKey,
      resourcePath: resource,
      stage,
    },
    pathParameters: event['pathParameters'] ?? null,
    stageVariables: null,
    body: event['body'] ?? null,
    isBase64Encoded: event['isBase64Encoded'],
  };
}

const nobody = {
  accessKey: null,
  accountId: null,
  caller: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userArn: null,
};

/** Of `GET /users/{id}` the path. @param {string} routeKey */
const resourceOf = (routeKey) => (routeKey === '$default' ? '/{proxy+}' : routeKey.slice(routeKey.indexOf(' ') + 1));

/** @param {readonly string[]} raw names and values in turn @returns {Generator<[string, string]>} */
function* pairsOf(raw) {
  for (let at = 0; at + 1 < raw.length; at += 2) yield [raw[at] ?? '', raw[at + 1] ?? ''];
}

/** @param {Iterable<[string, string]>} pairs @returns {Record<string, string[]>} names that every object has are names like any other */
function multiValues(pairs) {
  /** @type {Map<string, string[]>} */
  const all = new Map();
  for (const [name, value] of pairs) {
    const values = all.get(name);
    if (values === undefined) all.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries(all);
}

/** @param {Record<string, string[]>} all @returns {Record<string, string>} */
const lastOf = (all) => Object.fromEntries(Object.entries(all).map(([name, values]) => [name, values.at(-1) ?? '']));
