"""An invocation's answer, as frames: a head, a body as the other side takes it, and one last word."""

from json import dumps
from struct import Struct
from threading import Lock
from time import monotonic

from . import frames
from .frames import encode_frame
from .memory import resident_kib
from .window import Window

_MAX_U32 = 0xFFFF_FFFF
_MICROSECONDS_PER_S = 1_000_000
_done = Struct('>II')


class Reply:
    def __init__(self, channel, stream: int, on_over=None):
        """`on_over()` is called once when the last word is said."""
        self._channel = channel
        self._stream = stream
        self._lock = Lock()
        self._window = Window()
        self._started_at = None
        self.is_head_sent = False
        #: Whether the last word is said; what comes later goes nowhere.
        self.is_over = False
        #: Whether nobody takes the body any more.
        self.is_released = False
        self._on_over = on_over

    def start(self) -> None:
        """The handler begins: its time counts from here."""
        self._started_at = monotonic()

    def grant_request(self, size: int) -> None:
        """Lets the other side send so many more bytes of the request's body."""
        if not self.is_over:
            self._channel.send(frames.REQUEST_CREDIT, self._stream, frames.pack_u32(size))

    def take_credit(self, size: int) -> None:
        self._window.widen(size)

    def release(self) -> None:
        """Nobody takes the rest of the body: what waits to send more of it ends."""
        self.is_released = True
        self._window.close()

    def answer(self, status: int, headers: list, body: bytes) -> bool:
        """Sends a whole answer in one piece when it is small. Returns False, having sent nothing, when it is not."""
        if len(body) > frames.BODY_CHUNK_BYTES:
            return False
        piece = encode_frame(frames.RESPONSE_BODY, self._stream, body) if body else b''
        self._end(encode_frame(frames.HEAD, self._stream, _head(status, headers)) + piece + self._done_frame())
        return True

    def head(self, status: int, headers: list) -> None:
        if self.is_head_sent or self.is_over:
            return
        self.is_head_sent = True
        self._channel.send(frames.HEAD, self._stream, _head(status, headers))

    def send(self, body) -> bool:
        """Sends bytes of the body as the other side takes them, which may take long. Returns whether more may come."""
        rest = memoryview(body)
        while rest:
            sent = self._send_some(rest)
            if sent is None:
                return False
            if sent == 0:
                self._window.wait()
            rest = rest[sent:]
        return True

    async def send_async(self, body) -> bool:
        """As `send`, for code that runs in an event loop."""
        from .loop_wait import changed

        rest = memoryview(body)
        while rest:
            sent = self._send_some(rest)
            if sent is None:
                return False
            if sent == 0:
                await changed(self._window.when_changed)
            rest = rest[sent:]
        return True

    def done(self) -> None:
        """The answer is complete."""
        self._end(self._done_frame())

    def fail(self, failure: dict) -> None:
        self._end(encode_frame(frames.FAILED, self._stream, dumps(failure).encode()))

    def _send_some(self, rest: memoryview) -> 'int | None':
        size = self._window.reserve(min(len(rest), frames.BODY_CHUNK_BYTES))
        if size:
            self._channel.send(frames.RESPONSE_BODY, self._stream, bytes(rest[:size]))
        return size

    def _done_frame(self) -> bytes:
        took = 0.0 if self._started_at is None else monotonic() - self._started_at
        payload = _done.pack(min(_MAX_U32, round(took * _MICROSECONDS_PER_S)), resident_kib())
        return encode_frame(frames.DONE, self._stream, payload)

    def _end(self, last: bytes) -> None:
        with self._lock:
            if self.is_over:
                return
            self.is_over = True
        self._channel.streams.pop(self._stream, None)
        self._channel.write(last)
        self._window.close()
        if self._on_over is not None:
            self._on_over()


def _head(status: int, headers: list) -> bytes:
    return dumps([status, headers]).encode()
