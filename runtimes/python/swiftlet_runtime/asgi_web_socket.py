"""A caller's WebSocket, as an ASGI application has it. Frames are read and written here, in the event loop."""

import asyncio
from collections import deque

from . import web_socket_frames as ws
from .failure import Refusal
from .function_url_response import check_headers
from .loop_wait import changed

_SWITCHING_PROTOCOLS = 101
_FORBIDDEN = 403
_LEAST_REDIRECT = 300
#: How long the caller has for its word that it closes, too.
_CLOSE_TIMEOUT_S = 5
#: A caller that says nothing for so long is asked whether it is there; after as long again it is taken for gone.
_PING_EVERY_S = 30
#: Messages that wait for the application, in bytes, before no more is read.
_MAX_WAITING_BYTES = 256 * 1024


class _CallerGone(OSError):
    """What is sent reaches nobody any more."""


class AsgiWebSocket:
    """`receive` and `send` are the application's; `run` is the connection's whole life."""

    def __init__(self, invocation, response, text, ping_every_s: float = _PING_EVERY_S):
        """`response`: for an application that refuses, see asgi_form.py; `text(value)`: a header's name or value as text."""
        self._invocation = invocation
        self._reply = invocation.reply
        self._body = invocation.body
        self._response = response
        self._as_text = text
        self._ping_every_s = ping_every_s
        self._loop = asyncio.get_running_loop()
        self._reader = ws.FrameReader()
        # One frame after the other: a long one leaves in pieces.
        self._sending = asyncio.Lock()
        # What waits for the application's receive().
        self._events = deque(({'type': 'websocket.connect'},))
        self._waiting_bytes = 0
        self._moved = asyncio.Event()
        self._tasks = ()
        self._is_open = False
        self._is_refused = False
        self._is_heard = True
        self._offered = []
        # Our close frame is out: nothing may follow it.
        self._has_closed = False
        self._ended = asyncio.Event()

    async def run(self, application, scope: dict) -> None:
        """Raises what the application raises, and Refusal when it did not answer."""
        self._offered = scope['subprotocols']
        try:
            await application(scope, self._receive, self._send)
            if self._is_open:
                await self._close(ws.NORMAL, '')
        except _CallerGone:
            pass
        except BaseException:
            if self._is_open:
                await self._within_limit(self._say_close(ws.FAILED, 'the function failed'))
            raise
        finally:
            for task in self._tasks:
                task.cancel()
        self._check_end()

    def go_away(self) -> None:
        """By any thread: the connection is to end soon."""
        self._loop.call_soon_threadsafe(self._start_going)

    def _start_going(self) -> None:
        if self._is_open and not self._ended.is_set():
            self._start(self._say_close(ws.GOING_AWAY, 'the platform is stopping'))

    def _check_end(self) -> None:
        if self._is_open:
            self._reply.done()
        elif self._is_refused or self._reply.is_released:
            self._response.check_end()
        else:
            raise Refusal('InvalidResponse', 'the ASGI application returned before it took the WebSocket, or closed it')

    async def _receive(self) -> dict:
        while not self._events:
            self._moved.clear()
            await self._moved.wait()
        event = self._events[0]
        # Whoever asks again is told again that it is over.
        if event['type'] == 'websocket.disconnect':
            return event
        self._events.popleft()
        self._waiting_bytes -= len(event.get('bytes') or event.get('text') or '')
        self._moved.set()
        return event

    async def _send(self, message: dict) -> None:
        kind = message['type']
        if kind == 'websocket.accept':
            self._accept(message)
        elif kind == 'websocket.send':
            await self._send_message(message)
        elif kind == 'websocket.close':
            if self._is_open:
                await self._close(message.get('code') or ws.NORMAL, message.get('reason') or '')
            else:
                await self._refuse({'type': 'websocket.http.response.start', 'status': _FORBIDDEN})
                await self._refuse({'type': 'websocket.http.response.body'})
        elif kind.startswith('websocket.http.response.'):
            await self._refuse(message)

    def _accept(self, message: dict) -> None:
        if self._is_open or self._is_refused:
            raise RuntimeError('the WebSocket was taken, or refused, already')
        pairs = [(self._as_text(name).lower(), self._as_text(value)) for name, value in message.get('headers') or ()]
        protocol = message.get('subprotocol')
        if protocol is not None:
            if protocol not in self._offered:
                raise RuntimeError(f'the caller does not offer the protocol "{protocol}"; it offers {", ".join(self._offered) or "none"}')
            pairs.append(('sec-websocket-protocol', protocol))
        flat = [text for pair in pairs for text in pair]
        check_headers(flat)
        self._reply.head(_SWITCHING_PROTOCOLS, flat)
        self._is_open = True
        self._invocation.open_connection(self)
        self._start(self._read())
        self._start(self._ask())

    async def _refuse(self, message: dict) -> None:
        if self._is_open:
            raise RuntimeError('the WebSocket was taken: it is closed by websocket.close')
        self._is_refused = True
        if message.get('status', _LEAST_REDIRECT) < _LEAST_REDIRECT:
            status = message['status']
            raise Refusal(
                'WebSocketUnsupported',
                f'the ASGI application answered a WebSocket handshake with status {status}; to take it, send websocket.accept',
            )
        await self._response.send({**message, 'type': message['type'].removeprefix('websocket.')})

    async def _send_message(self, message: dict) -> None:
        if not self._is_open:
            raise RuntimeError('the WebSocket is not taken yet: send websocket.accept first')
        if self._ended.is_set():
            raise _CallerGone('the WebSocket is closed')
        payload, text = message.get('bytes'), message.get('text')
        if payload is None:
            await self._write(ws.encode_message(ws.TEXT, (text or '').encode()))
        else:
            await self._write(ws.encode_message(ws.BINARY, bytes(payload)))

    async def _write(self, frame: bytes) -> None:
        async with self._sending:
            if not self._has_closed:
                await self._reply.send_async(frame)

    async def _say_close(self, code: int, reason: str) -> None:
        async with self._sending:
            if self._has_closed:
                return
            self._has_closed = True
            await self._reply.send_async(ws.encode_close(code, reason))

    async def _close(self, code: int, reason: str) -> None:
        """Returns once the caller has closed, too, or its time for that is over."""
        await self._within_limit(self._say_close(code, reason))
        await self._within_limit(self._ended.wait())
        self._end(ws.CUT_OFF, '')

    async def _within_limit(self, work) -> None:
        try:
            await asyncio.wait_for(work, _CLOSE_TIMEOUT_S)
        except asyncio.TimeoutError:
            pass

    def _start(self, work) -> None:
        self._tasks = (*self._tasks, asyncio.ensure_future(work))

    async def _read(self) -> None:
        """Takes what the caller sends, until it closes or is gone."""
        try:
            while not self._ended.is_set():
                await self._read_once()
        except ws.FrameFault as fault:
            await self._say_close(fault.code, str(fault))
            self._end(fault.code, str(fault))

    async def _read_once(self) -> None:
        taken = self._body.take()
        if taken is None:
            if self._body.is_aborted:
                self._end(ws.CUT_OFF, '')
            else:
                await changed(self._body.when_changed)
            return
        chunk, is_more = taken
        self._is_heard = True
        for kind, payload in self._reader.push(chunk):
            if await self._take(kind, payload):
                return
        if not is_more:
            self._end(ws.CUT_OFF, '')
        while self._waiting_bytes > _MAX_WAITING_BYTES and not self._body.is_aborted:
            self._moved.clear()
            await self._moved.wait()

    async def _take(self, kind: int, payload) -> bool:
        """Returns whether it was the last."""
        if kind == ws.CLOSE:
            code, reason = ws.decode_close(payload)
            await self._say_close(code, '')
            self._end(code, reason)
            return True
        if kind == ws.PING:
            await self._write(ws.encode_message(ws.PONG, payload))
        elif kind != ws.PONG:
            self._waiting_bytes += len(payload)
            member = 'text' if kind == ws.TEXT else 'bytes'
            self._tell({'type': 'websocket.receive', member: payload})
        return False

    async def _ask(self) -> None:
        """Sees whether the caller is still there."""
        while not self._ended.is_set():
            self._is_heard = False
            await asyncio.sleep(self._ping_every_s)
            if not self._is_heard:
                await self._write(ws.encode_message(ws.PING, b''))
                await asyncio.sleep(self._ping_every_s)
                if not self._is_heard:
                    self._end(ws.CUT_OFF, '')

    def _end(self, code: int, reason: str) -> None:
        """Tells the application, once; what came before is still there for it."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._has_closed = True
        self._tell({'type': 'websocket.disconnect', 'code': code, 'reason': reason})
        # The caller need not wait for what the application still does.
        self._reply.done()

    def _tell(self, event: dict) -> None:
        self._events.append(event)
        self._moved.set()
