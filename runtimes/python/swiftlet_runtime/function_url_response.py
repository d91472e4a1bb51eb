"""What a handler returned as an HTTP response, by the rules of AWS Lambda's function URLs (payload format 2.0)."""

import sys
from base64 import b64decode
from binascii import Error as Base64Error
from json import dumps

from .failure import Refusal

_MAX_HEADERS = 500
_MAX_HEADER_CHARACTERS = 64 * 1024
_MAX_BODY_BYTES = 6 * 1024 * 1024
_LEAST_STATUS, _MOST_STATUS = 200, 599
_SHOWN_CHARACTERS = 60
JSON_TYPE = 'application/json'


def to_response(value) -> tuple:
    """A dict with `statusCode` is a response; anything else, text too, is the JSON body of a 200.

    Returns status, headers (names in lower case and values in turn) and body: bytes, or an iterator of them when it is to be streamed."""
    if is_iterator(value):
        return 200, ['content-type', 'application/octet-stream'], value
    if not isinstance(value, dict) or 'statusCode' not in value:
        return 200, ['content-type', JSON_TYPE], json_body(value)
    headers = flat_headers(value.get('headers'), value.get('multiValueHeaders'))
    body = value.get('body')
    if not is_iterator(body):
        body = _limited(_body_bytes(body, value.get('isBase64Encoded') is True))
    # Of an iterator nobody knows yet whether it has any.
    if body and 'content-type' not in headers[::2]:
        headers += ['content-type', JSON_TYPE if isinstance(body, bytes) else 'application/octet-stream']
    cookies = value.get('cookies')
    if cookies is not None:
        if not isinstance(cookies, (list, tuple)):
            raise _invalid(f'"cookies" is {_show(cookies)}; it must be a list of strings')
        for cookie in cookies:
            headers += ['set-cookie', str(cookie)]
    check_headers(headers)
    return check_status(value['statusCode']), headers, body


def is_iterator(value) -> bool:
    return hasattr(value, '__next__') or hasattr(value, '__anext__')


def check_status(value) -> int:
    """Raises Refusal InvalidResponse."""
    code = int(value) if isinstance(value, str) and value.isdigit() else value
    if isinstance(code, int) and not isinstance(code, bool) and _LEAST_STATUS <= code <= _MOST_STATUS:
        return int(code)
    raise _invalid(f'its status code is {_show(value)}; it must be a whole number from {_LEAST_STATUS} to {_MOST_STATUS}')


def flat_headers(*sources) -> list:
    """Of dicts of names and values, a value being one or a list of them."""
    flat = []
    for source in sources:
        if source is None:
            continue
        if not isinstance(source, dict):
            raise _invalid(f'"headers" is {_show(source)}; it must be a dict of names and values')
        for name, value in source.items():
            for one in value if isinstance(value, (list, tuple)) else [value]:
                if one is not None:
                    flat += [str(name).lower(), _header_text(one)]
    return flat


def check_headers(flat: list) -> None:
    """The gateway refuses what is larger; here it can be said what is wrong. Raises Refusal ResponseTooLarge."""
    if len(flat) > 2 * _MAX_HEADERS:
        raise Refusal('ResponseTooLarge', f'it has {len(flat) // 2} headers; up to {_MAX_HEADERS} are allowed')
    characters = sum(map(len, flat))
    if characters > _MAX_HEADER_CHARACTERS:
        raise Refusal('ResponseTooLarge', f'its headers have {characters} characters; up to {_MAX_HEADER_CHARACTERS} are allowed')


def json_body(value) -> bytes:
    """Raises Refusal InvalidResponse or ResponseTooLarge."""
    try:
        text = dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':'), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise _invalid(f'it cannot be written as JSON: {error}') from None
    try:
        return _limited(text.encode())
    except UnicodeEncodeError:
        # Half of a character, which only an escape can say.
        return _limited(dumps(value, separators=(',', ':'), default=_plain).encode())


def _plain(value):
    """What AWS Lambda writes as JSON, beyond what the module `json` does: decimal numbers, as boto3 returns them."""
    decimal = sys.modules.get('decimal')
    if decimal is not None and isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f'Object of type {type(value).__name__} is not JSON serializable')


def _header_text(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body_bytes(body, is_base64: bool) -> bytes:
    if body is None:
        return b''
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if not isinstance(body, str):
        raise _invalid(f'"body" is {_show(body)}; it must be text, bytes, or an iterator of them')
    if not is_base64:
        return body.encode('utf-8', 'replace')
    try:
        return b64decode(body)
    except (Base64Error, ValueError):
        raise _invalid(f'"isBase64Encoded" is true, and "body" is no Base64: {_show(body)}') from None


def _limited(body: bytes) -> bytes:
    if len(body) <= _MAX_BODY_BYTES:
        return body
    raise Refusal(
        'ResponseTooLarge',
        f'the response has {len(body)} bytes, over the limit of {_MAX_BODY_BYTES} for one that is not streamed; stream it, or return less',
    )


def _invalid(reason: str) -> Refusal:
    return Refusal('InvalidResponse', f'the handler returned something that is no response: {reason}')


def _show(value) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - its own methods are user code
        return f'of type {type(value).__name__}'
    return f'{text[:_SHOWN_CHARACTERS]}…' if len(text) > _SHOWN_CHARACTERS else text
