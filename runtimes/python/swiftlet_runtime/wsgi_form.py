"""WSGI applications (PEP 3333): Flask, Django, Bottle and their like."""

import sys
from io import BytesIO
from urllib.parse import unquote_to_bytes

from .context import Context
from .failure import Refusal
from .function_url_response import check_headers, check_status
from .http_request import answer_headers, only_http, pairs_of, server_of


class WsgiForm:
    is_async = False
    streams_requests = False

    def __init__(self, application):
        self._application = application

    def answer(self, invocation) -> None:
        only_http(invocation)
        response = _Response(invocation.reply)
        chunks = self._application(_environ_of(invocation), response.start)
        try:
            for chunk in chunks:
                if chunk and not response.write(chunk):
                    break
            response.finish()
        finally:
            close = getattr(chunks, 'close', None)
            if close is not None:
                close()


class _Response:
    def __init__(self, reply):
        self._reply = reply
        self._head = None

    def start(self, status: str, headers: list, exc_info=None):
        """The application's start_response()."""
        if exc_info is not None and self._reply.is_head_sent:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self._head is not None:
            raise AssertionError('start_response() was called a second time, without exc_info')
        flat = answer_headers(headers)
        check_headers(flat)
        self._head = (check_status(status.partition(' ')[0]), flat)
        return self.write

    def write(self, chunk: bytes) -> bool:
        """Returns whether more may come."""
        self._send_head()
        return self._reply.send(chunk)

    def finish(self) -> None:
        self._send_head()
        self._reply.done()

    def _send_head(self) -> None:
        # Not before the first bytes: until then the application may change its mind.
        if self._head is None:
            raise Refusal('InvalidResponse', 'the WSGI application returned a body without having called start_response()')
        self._reply.head(*self._head)


def _environ_of(invocation) -> dict:
    path, _, query = invocation.target.partition('?')
    environ = {}
    headers = {}
    for name, value in pairs_of(invocation.headers):
        headers[name] = value
        key = name.upper().replace('-', '_')
        if key not in ('CONTENT_TYPE', 'CONTENT_LENGTH'):
            key = f'HTTP_{key}'
        between = '; ' if name == 'cookie' else ','
        environ[key] = f'{environ[key]}{between}{value}' if key in environ else value
    scheme, host, port = server_of(headers)
    body = invocation.body.whole
    environ.update(
        {
            'REQUEST_METHOD': invocation.method,
            'SCRIPT_NAME': '',
            'PATH_INFO': unquote_to_bytes(path).decode('latin-1'),
            'QUERY_STRING': query,
            'CONTENT_LENGTH': str(len(body)) if body else environ.get('CONTENT_LENGTH', ''),
            'SERVER_NAME': host,
            'SERVER_PORT': str(port),
            'SERVER_PROTOCOL': 'HTTP/1.1',
            'REMOTE_ADDR': invocation.source_ip,
            'wsgi.version': (1, 0),
            'wsgi.url_scheme': scheme,
            'wsgi.input': BytesIO(body),
            'wsgi.input_terminated': True,
            'wsgi.errors': sys.stderr,
            'wsgi.multithread': invocation.settings['concurrency'] > 1,
            'wsgi.multiprocess': True,
            'wsgi.run_once': False,
            'swiftlet.context': Context(invocation),
        }
    )
    return environ
