"""ASGI applications (version 3): Starlette, FastAPI and their like, with the lifespan protocol."""

import asyncio
from urllib.parse import unquote

from .async_context import AsyncContext
from .failure import Refusal
from .function_url_response import check_headers, check_status
from .http_request import answer_headers, only_http, pairs_of, server_of
from .loop_wait import changed

_VERSIONS = {'version': '3.0', 'spec_version': '2.3'}
_WEB_SOCKET_VERSIONS = {'version': '3.0', 'spec_version': '2.4'}


class AsgiForm:
    is_async = True
    streams_requests = True
    takes_web_sockets = True

    def __init__(self, application):
        self._application = application
        self._state = {}
        self._lifespan = None

    async def start(self) -> None:
        """Has the application make what it needs before its first request. Raises Refusal InitError when it says that it cannot."""
        told = asyncio.get_running_loop().create_future()
        self._lifespan = asyncio.ensure_future(self._live(told))
        await told

    async def answer(self, invocation) -> None:
        only_http(invocation)
        response = _Response(invocation.reply)
        if invocation.offers_web_socket:
            # Loaded by the first handshake: other functions never need it.
            from .asgi_web_socket import AsgiWebSocket

            await AsgiWebSocket(invocation, response, _text).run(self._application, self._web_socket_scope_of(invocation))
            return
        await self._application(self._scope_of(invocation), _receiver(invocation), response.send)
        response.check_end()

    async def _live(self, told: asyncio.Future) -> None:
        ended = asyncio.get_running_loop().create_future()
        begun = []

        async def receive() -> dict:
            if not begun:
                begun.append(True)
                return {'type': 'lifespan.startup'}
            # An instance is ended without a word; who asks for the shutdown waits as long as it lives.
            return await ended

        async def send(message: dict) -> None:
            if told.done():
                return
            if message['type'] == 'lifespan.startup.failed':
                told.set_exception(Refusal('InitError', f"the application failed at its startup: {message.get('message', '')}"))
            elif message['type'] == 'lifespan.startup.complete':
                told.set_result(None)

        try:
            await self._application({'type': 'lifespan', 'asgi': _VERSIONS, 'state': self._state}, receive, send)
        except Exception:  # noqa: BLE001 - an application that does not know the protocol raises something, by its own rules
            pass
        if not told.done():
            told.set_result(None)

    def _scope_of(self, invocation) -> dict:
        path, _, query = invocation.target.partition('?')
        headers = dict(pairs_of(invocation.headers))
        scheme, host, port = server_of(headers)
        return {
            'type': 'http',
            'asgi': _VERSIONS,
            'http_version': '1.1',
            'method': invocation.method,
            'scheme': scheme,
            'path': unquote(path),
            'raw_path': path.encode('latin-1', 'replace'),
            'query_string': query.encode('latin-1', 'replace'),
            'root_path': '',
            'headers': [
                (name.encode('latin-1', 'replace'), value.encode('latin-1', 'replace')) for name, value in pairs_of(invocation.headers)
            ],
            'client': (invocation.source_ip, 0),
            'server': (host, port),
            'state': dict(self._state),
            'swiftlet.context': AsyncContext(invocation),
        }

    def _web_socket_scope_of(self, invocation) -> dict:
        scope = self._scope_of(invocation)
        del scope['method']
        offered = [value for name, value in pairs_of(invocation.headers) if name == 'sec-websocket-protocol']
        return {
            **scope,
            'type': 'websocket',
            'asgi': _WEB_SOCKET_VERSIONS,
            'scheme': 'wss' if scope['scheme'] == 'https' else 'ws',
            'subprotocols': [one.strip() for one in ','.join(offered).split(',') if one.strip()],
            'extensions': {'websocket.http.response': {}},
        }


def _receiver(invocation):
    """The application's receive()."""
    body = invocation.body
    is_whole = False

    async def receive() -> dict:
        nonlocal is_whole
        if is_whole:
            await changed(body.when_aborted)
        while not (body.is_aborted or is_whole):
            taken = body.take()
            if taken is not None:
                chunk, more = taken
                is_whole = not more
                return {'type': 'http.request', 'body': chunk, 'more_body': more}
            await changed(body.when_changed)
        return {'type': 'http.disconnect'}

    return receive


class _Response:
    def __init__(self, reply):
        self._reply = reply
        self._is_started = False

    async def send(self, message: dict) -> None:
        """The application's send()."""
        kind = message['type']
        if kind == 'http.response.start':
            self._start(message)
        elif kind == 'http.response.body':
            if not self._is_started:
                raise Refusal('InvalidResponse', 'the ASGI application sent a body before http.response.start')
            await self._reply.send_async(message.get('body', b''))
            if not message.get('more_body', False):
                self._reply.done()

    def check_end(self) -> None:
        """The application has returned. Raises Refusal when it did not answer."""
        if self._reply.is_over:
            return
        if self._reply.is_released:
            self._reply.done()
            return
        if not self._is_started:
            raise Refusal('InvalidResponse', 'the ASGI application returned without an answer')
        raise Refusal('InvalidResponse', 'the ASGI application returned before its body was complete')

    def _start(self, message: dict) -> None:
        self._is_started = True
        flat = answer_headers((_text(name), _text(value)) for name, value in message.get('headers', ()))
        check_headers(flat)
        self._reply.head(check_status(message['status']), flat)


def _text(value) -> str:
    return value if isinstance(value, str) else bytes(value).decode('latin-1')
