"""What an invocation calls itself: context.invoke(). A call goes to the gateway over the connection that the invocation came by, on its
stream, and the answer comes back the same way. See docs/instance-protocol.md."""

from collections import deque
from concurrent.futures import Future
from json import dumps, loads
from struct import Struct
from threading import Lock

from . import frames

# As the gateway allows; the others wait for their turn here.
_MAX_AT_ONCE = 16
_LONGEST_NAME = 255
_SYNC, _ASYNC = 0, 1
_JSON, _TEXT, _FAILED = 0, 1, 3
_question = Struct('>IBB')
_answer = Struct('>IB')


class InvokeError(Exception):
    """What a call failed with. `code` and `status` are those of the platform's errors (docs/errors.md)."""

    def __init__(self, code: str = 'Internal', status: int = 500, detail: str = ''):
        super().__init__(detail)
        self.code = code
        self.status = status


class Calls:
    """Of one invocation; made by any thread, answered by the one of the connections."""

    def __init__(self, channel, stream: int):
        self._channel = channel
        self._stream = stream
        self._lock = Lock()
        # By their numbers: those that the gateway has.
        self._open = {}
        self._waiting = deque()
        self._last = 0
        # Why there are no more calls.
        self._ended = None

    def make(self, name: str, event, wait: bool) -> Future:
        """Calls a function; `wait` says whether its answer is waited for, or the event only to be stored. Raises TypeError for what is no
        name or no event, InvokeError when there can be no call any more."""
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
            raise TypeError('invoke() takes the name of a function')
        json = dumps({} if event is None else event).encode()
        future = Future()
        with self._lock:
            if self._ended is not None:
                raise InvokeError('Unavailable', 503, self._ended)
            self._last = (self._last + 1) & 0xFFFF_FFFF
            data = name.encode('latin-1', 'replace')
            self._waiting.append((self._last, _question.pack(self._last, _SYNC if wait else _ASYNC, len(data)) + data + json, future))
            self._send_next()
        return future

    def take(self, payload: bytes) -> None:
        """Takes the payload of a `callAnswer`."""
        number, outcome = _answer.unpack_from(payload)
        with self._lock:
            future = self._open.pop(number, None)
            self._send_next()
        if future is not None:
            _settle(future, outcome, payload[_answer.size :])

    def end(self, why: str) -> None:
        """No answer comes any more."""
        with self._lock:
            self._ended = why
            futures = [*self._open.values(), *(future for _, _, future in self._waiting)]
            self._open.clear()
            self._waiting.clear()
        for future in futures:
            _fail(future, InvokeError('Unavailable', 503, why))

    def _send_next(self) -> None:
        while self._waiting and len(self._open) < _MAX_AT_ONCE:
            number, payload, future = self._waiting.popleft()
            self._open[number] = future
            self._channel.send(frames.CALL, self._stream, payload)


def _settle(future: Future, outcome: int, data: bytes) -> None:
    try:
        text = data.decode()
        if outcome == _FAILED:
            problem = loads(text)
            error = InvokeError(problem.get('code', 'Internal'), problem.get('status', 500), problem.get('detail', ''))
            _fail(future, error)
        elif future.set_running_or_notify_cancel():
            future.set_result(text if outcome == _TEXT else loads(text) if text else None)
    except ValueError:
        _fail(future, InvokeError(detail='the answer cannot be read'))


def _fail(future: Future, error: Exception) -> None:
    if not future.done() and (future.running() or future.set_running_or_notify_cancel()):
        future.set_exception(error)
