"""A request's body on its way in. All kinds take `push`, `end` and `abort`; what comes after the end is dropped."""

from collections import deque
from threading import Lock


class CollectedBody:
    """One that is kept until it is whole."""

    is_collected = True

    def __init__(self, grant=None):
        """`grant(size)` lets more bytes come; needed for a body over the initial credit."""
        self._pieces = []
        self._grant = grant

    @property
    def whole(self) -> bytes:
        return b''.join(self._pieces)

    def push(self, chunk: bytes) -> None:
        self._pieces.append(chunk)
        if self._grant is not None:
            self._grant(len(chunk))

    def end(self) -> None:
        pass

    def abort(self) -> None:
        pass


class StreamedBody:
    """One that an application reads while it comes; what has been read makes room for more."""

    is_collected = False

    def __init__(self, grant, is_empty: bool):
        self._grant = grant
        self._lock = Lock()
        self._chunks = deque()
        self._is_ended = is_empty
        self.is_aborted = False
        # An application may wait in several tasks, for bytes and for the caller to hang up.
        self._wakes = []

    def push(self, chunk: bytes) -> None:
        with self._lock:
            self._chunks.append(chunk)
        self._wake_up()

    def end(self) -> None:
        self._is_ended = True
        self._wake_up()

    def abort(self) -> None:
        """No more of it comes: nobody waits for the answer."""
        self.is_aborted = True
        self._wake_up()

    def take(self) -> 'tuple | None':
        """What has come, and whether more is to come; None while nothing has."""
        with self._lock:
            # Before the chunks are looked at: those that came before the end are among them then.
            is_ended = self._is_ended
            chunk = b''.join(self._chunks)
            self._chunks.clear()
        if chunk:
            self._grant(len(chunk))
        return (chunk, not is_ended) if chunk or is_ended else None

    def when_changed(self, wake) -> None:
        """Has `wake()` called once, by any thread, as soon as it is worth to look again."""
        with self._lock:
            if not (self._chunks or self._is_ended or self.is_aborted):
                self._wakes.append(wake)
                return
        wake()

    def when_aborted(self, wake) -> None:
        """Has `wake()` called once it is aborted. Only after its end was taken."""
        with self._lock:
            if not self.is_aborted:
                self._wakes.append(wake)
                return
        wake()

    def _wake_up(self) -> None:
        with self._lock:
            wakes, self._wakes = self._wakes, []
        for wake in wakes:
            wake()
