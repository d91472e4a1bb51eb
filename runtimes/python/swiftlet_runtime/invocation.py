"""One invocation, from its head to `done` or `failed`."""

import atexit
import os
import sys
from threading import Lock
from time import time

from .failure import Refusal, failure_of
from .frames import INITIAL_CREDIT_BYTES
from .logs import enter_request, leave_request, log_failure
from .reply import Reply
from .request_body import CollectedBody, StreamedBody

_HTTP_KIND = 0
_TAKES_CALLS = 1
_OFFERS_WEB_SOCKET = 1
_WARM_UP_HEADER = 'x-swiftlet-warm-up'
_OVER = 'the invocation is over: what calls other functions belongs before its answer'


class Served:
    """What an instance was initialised to."""

    def __init__(self, form, settings: dict, runner):
        """`form`: how the handler is written, an object with `answer(invocation)`, `is_async` and `streams_requests`; `settings`: the
        `InitRequest` of src/wire/instance-protocol.ts; `runner`: with `submit(invocation)` and `run()`, see workers.py and loop_runner.py."""
        self.form = form
        self.settings = settings
        self.runner = runner


class Invocation:
    """Driven by the thread of the connections; `run` or `run_async` is where the user's code is called."""

    def __init__(self, channel, stream: int, head: list, served: Served, activity):
        """`head`: see `InvokeHead` in src/wire/instance-protocol.ts."""
        kind, self.request_id, self._deadline_ms, self.method, self.target, self.source_ip, length, self.headers, *more = head
        self.is_http = kind == _HTTP_KIND
        self.settings = served.settings
        self.reply = Reply(channel, stream, self._on_over)
        self._takes_calls = more[:1] == [_TAKES_CALLS]
        # How it came: the route's key, names and values of its path's parameters, what the gateway knows of the caller.
        self.route_key, self.path_parameters, self.authorizer = _way_of(more[1] if len(more) > 1 and more[1] else [])
        self.offers_web_socket = more[2:3] == [_OFFERS_WEB_SOCKET]
        # What the request is once its caller's offer was taken.
        self._connection = None
        self._channel = channel
        self._stream = stream
        self._form = served.form
        self._runner = served.runner
        self._activity = activity
        self._lock = Lock()
        self._calls = None
        self._has_body = length != 0
        self._is_cancelled = False
        self._is_started = False
        # What follows the head of a handshake is the connection's bytes.
        is_counted = self.offers_web_socket or not 0 <= length <= INITIAL_CREDIT_BYTES
        grant = self.reply.grant_request if is_counted else _nothing
        self.body = StreamedBody(grant, length == 0 and not self.offers_web_socket) if served.form.streams_requests else CollectedBody(grant)

    @property
    def deadline_ms(self) -> float:
        """Until when it may go on, since 1970. A connection has no end of its own: it is as long again, at any time."""
        return self._deadline_ms if self._connection is None else time() * 1000 + self.settings['timeoutMs']

    def open_connection(self, connection) -> None:
        """The caller's offer is taken. `connection`: with `go_away()`."""
        self._connection = connection

    def go_away(self) -> None:
        """What it became is to end soon."""
        if self._connection is not None:
            self._connection.go_away()

    def begin(self) -> None:
        """Has the handler run, now or when the body that it needs is there."""
        if self.offers_web_socket and not getattr(self._form, 'takes_web_sockets', False):
            refusal = Refusal('WebSocketUnsupported', 'it takes no WebSocket; of functions in Python, ASGI applications do')
            self.reply.fail(failure_of(refusal, refusal.code))
            return
        self._activity.begin()
        if not (self.body.is_collected and self._has_body):
            self._start()

    def receive(self, chunk: bytes) -> None:
        self.body.push(chunk)

    def receive_end(self) -> None:
        self.body.end()
        if self.body.is_collected and not self.reply.is_over:
            self._start()

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        if self._is_cancelled or self.reply.is_over:
            return
        self._is_cancelled = True
        self.body.abort()
        self.reply.release()
        # Its body will not be whole any more, so that its handler never begins.
        if not self._is_started:
            self.reply.done()
            self._activity.end()

    def abandon(self) -> None:
        """The connection is gone that it came by."""
        self.cancel()
        if self._calls is not None:
            self._calls.end('the connection to the gateway is gone')

    def call(self, name: str, event, wait: bool):
        """Invokes another function. Returns a future of concurrent.futures."""
        from .calls import Calls

        with self._lock:
            if self._calls is None:
                self._calls = Calls(self._channel, self._stream)
                if not self._takes_calls:
                    self._calls.end('the gateway is of a release that takes no calls')
                elif self.reply.is_over:
                    self._calls.end(_OVER)
        return self._calls.make(name, event, wait)

    def take_call_answer(self, payload: bytes) -> None:
        if self._calls is not None:
            self._calls.take(payload)

    def add_background(self, future) -> None:
        self._activity.add_background(future, self.deadline_ms, self.request_id)

    def run(self) -> None:
        """Runs a handler that is not async. Never raises."""
        enter_request(self.request_id)
        try:
            self._form.answer(self)
        except BaseException as error:  # noqa: BLE001 - whatever user code raises
            self._fail(error)
        self._end()

    async def run_async(self) -> None:
        """Runs an async one. Never raises."""
        enter_request(self.request_id)
        try:
            await self._form.answer(self)
        except BaseException as error:  # noqa: BLE001 - whatever user code raises
            self._fail(error)
        self._end()

    def _on_over(self) -> None:
        # Who listens for the caller to go learns that there is nothing to wait for.
        self.body.abort()
        with self._lock:
            if self._calls is not None:
                self._calls.end(_OVER)

    def _start(self) -> None:
        self._is_started = True
        self.reply.start()
        if not self.is_http and self.headers[:1] == [_WARM_UP_HEADER]:
            # All that was wanted is that this process is there. Only the platform can say it.
            self.reply.answer(204, [], b'')
            self._activity.end()
            return
        self._runner.submit(self)

    def _end(self) -> None:
        leave_request()
        self._activity.end()

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, SystemExit):
            end_process(error)
        failure = failure_of(error, 'HandlerError', self.request_id)
        leave_request()
        log_failure(failure)
        self.reply.fail(failure)


def end_process(error: SystemExit) -> None:
    """Does what sys.exit() asks for, in whatever thread it was called."""
    code = error.code
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    leave_request()
    try:
        atexit._run_exitfuncs()  # noqa: SLF001 - there is no other way to end from a thread as Python itself does
    finally:
        os._exit((code or 0) & 0xFF)


def _nothing(_size: int) -> None:
    pass


def _way_of(way: list) -> tuple:
    """`way`: empty for a request that came by the function's own address."""
    route_key, pairs, authorizer = way + ['$default', [], None][len(way):]
    return route_key, dict(zip(pairs[::2], pairs[1::2])), authorizer
