"""An HTTP request as the event that AWS Lambda's function URLs make of it (payload format 2.0)."""

import re
from base64 import b64encode
from time import gmtime, time
from urllib.parse import parse_qsl

_text_types = re.compile(r'(?:text/|application/(?:json|xml|javascript|x-www-form-urlencoded|graphql|[\w.+-]*\+(?:json|xml))\b)', re.IGNORECASE)
_MONTHS = ('Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec')


def to_event(invocation) -> dict:
    path, _, query = invocation.target.partition('?')
    headers, cookies = _join_headers(invocation.headers)
    body = invocation.body.whole
    text = _text_of(headers.get('content-type'), body)
    domain = headers.get('host', 'localhost')
    now = time()
    event = {'version': '2.0', 'routeKey': invocation.route_key, 'rawPath': path, 'rawQueryString': query}
    if cookies:
        event['cookies'] = cookies
    event['headers'] = headers
    if query:
        event['queryStringParameters'] = _joined(parse_qsl(query, keep_blank_values=True))
    event['requestContext'] = {
        'accountId': 'anonymous',
        'apiId': invocation.settings['function'],
        'domainName': domain,
        'domainPrefix': domain.partition('.')[0],
        'http': {
            'method': invocation.method,
            'path': path,
            'protocol': 'HTTP/1.1',
            'sourceIp': invocation.source_ip,
            'userAgent': headers.get('user-agent', ''),
        },
        'requestId': invocation.request_id,
        'routeKey': invocation.route_key,
        'stage': '$default',
        'time': _log_time(now),
        'timeEpoch': int(now * 1000),
    }
    if body:
        event['body'] = b64encode(body).decode() if text is None else text
    if invocation.path_parameters:
        event['pathParameters'] = invocation.path_parameters
    if invocation.authorizer is not None:
        event['requestContext']['authorizer'] = invocation.authorizer
    event['isBase64Encoded'] = text is None
    return event


def _text_of(content_type: 'str | None', body: bytes) -> 'str | None':
    """Text is what says that it is, or says nothing, and can be read as UTF-8."""
    if body and content_type is not None and not _text_types.match(content_type):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _join_headers(raw: list) -> tuple:
    """`raw`: names in lower case and values in turn."""
    headers = {}
    cookies = []
    for name, value in zip(raw[::2], raw[1::2]):
        is_cookie = name == 'cookie'
        if is_cookie:
            cookies.extend(value.split('; '))
        headers[name] = f'{headers[name]}{"; " if is_cookie else ","}{value}' if name in headers else value
    return headers, cookies


def _joined(pairs: list) -> dict:
    joined = {}
    for name, value in pairs:
        joined[name] = f'{joined[name]},{value}' if name in joined else value
    return joined


def _log_time(seconds: float) -> str:
    """As in web servers' logs: 12/Mar/2020:19:03:58 +0000, whatever the locale."""
    at = gmtime(seconds)
    return f'{at.tm_mday:02}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}:{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} +0000'
