"""What WSGI and ASGI want to know of an HTTP request."""

from .failure import Refusal

# How a body came to a function is no longer true of the answer that it is passed on in.
_OF_ONE_CONNECTION = frozenset(('transfer-encoding', 'connection', 'keep-alive'))


def only_http(invocation) -> None:
    """Raises Refusal for an event."""
    if not invocation.is_http:
        raise Refusal('InvalidResponse', 'a WSGI or ASGI application answers HTTP requests only; send it a request, or name a function for events')


def pairs_of(headers: list):
    """Names and values, each pair."""
    return zip(headers[::2], headers[1::2])


def server_of(headers: dict) -> tuple:
    """Scheme, host and port, as the caller sees them."""
    scheme = headers.get('x-forwarded-proto', 'http')
    host, _, port = headers.get('host', 'localhost').rpartition(':')
    if not host or not port.isdigit():
        return scheme, headers.get('host', 'localhost'), 443 if scheme == 'https' else 80
    return scheme, host, int(port)


def answer_headers(pairs) -> list:
    """Those that go on to the caller, names in lower case and values in turn. `pairs`: of text."""
    return [text for name, value in pairs if name.lower() not in _OF_ONE_CONNECTION for text in (name.lower(), value)]
