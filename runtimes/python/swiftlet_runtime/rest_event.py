"""An HTTP request as the event that AWS's REST APIs make of it (payload format 1.0), made of what format 2.0 tells."""

from urllib.parse import parse_qsl

from .function_url_event import to_event

_NOBODY = dict.fromkeys(
    (
        'accessKey',
        'accountId',
        'caller',
        'cognitoAuthenticationProvider',
        'cognitoAuthenticationType',
        'cognitoIdentityId',
        'cognitoIdentityPoolId',
        'principalOrgId',
        'user',
        'userArn',
    )
)


def to_http_event(invocation) -> dict:
    """In the format that the function's configuration names."""
    event = to_event(invocation)
    return _to_rest_event(invocation, event) if invocation.settings.get('payload') == '1.0' else event


def _to_rest_event(invocation, event: dict) -> dict:
    context = event['requestContext']
    http = context['http']
    query = event['rawQueryString']
    resource = _resource_of(context['routeKey'])
    headers = _multi_values(zip(invocation.headers[::2], invocation.headers[1::2]))
    parameters = _multi_values(parse_qsl(query, keep_blank_values=True)) if query else None
    authorizer = context.get('authorizer')
    return {
        'version': '1.0',
        'resource': resource,
        'path': event['rawPath'],
        'httpMethod': http['method'],
        'headers': _last_of(headers),
        'multiValueHeaders': headers,
        'queryStringParameters': None if parameters is None else _last_of(parameters),
        'multiValueQueryStringParameters': parameters,
        'requestContext': {
            'accountId': context['accountId'],
            'apiId': context['apiId'],
            **({} if authorizer is None else {'authorizer': {**authorizer, **(authorizer.get('jwt') or {})}}),
            'domainName': context['domainName'],
            'domainPrefix': context['domainPrefix'],
            'extendedRequestId': context['requestId'],
            'httpMethod': http['method'],
            'identity': {**_NOBODY, 'sourceIp': http['sourceIp'], 'userAgent': http['userAgent']},
            'path': event['rawPath'],
            'protocol': http['protocol'],
            'requestId': context['requestId'],
            'requestTime': context['time'],
            'requestTimeEpoch': context['timeEpoch'],
            'resourceId': context['routeKey'],
            'resourcePath': resource,
            'stage': context['stage'],
        },
        'pathParameters': event.get('pathParameters'),
        'stageVariables': None,
        'body': event.get('body'),
        'isBase64Encoded': event['isBase64Encoded'],
    }


def _resource_of(route_key: str) -> str:
    """Of `GET /users/{id}` the path."""
    return '/{proxy+}' if route_key == '$default' else route_key.partition(' ')[2] or route_key


def _multi_values(pairs) -> dict:
    values = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _last_of(values: dict) -> dict:
    return {name: all_[-1] for name, all_ in values.items()}
