"""How many bytes of an answer the other side takes now."""

from threading import Event, Lock

from .frames import INITIAL_CREDIT_BYTES


class Window:
    """Widened and closed by the thread of the connections; one other thread reserves."""

    def __init__(self):
        self._lock = Lock()
        self._credit = INITIAL_CREDIT_BYTES
        self._is_closed = False
        self._wake = None

    def reserve(self, most: int) -> 'int | None':
        """Bytes that may go now, at most so many; 0: none yet; None: nobody takes any more."""
        with self._lock:
            if self._is_closed:
                return None
            size = max(0, min(most, self._credit))
            self._credit -= size
            return size

    def widen(self, size: int) -> None:
        with self._lock:
            self._credit += size
        self._wake_up()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
        self._wake_up()

    def wait(self) -> None:
        """Returns once there is room, or nobody takes any more."""
        changed = Event()
        self.when_changed(changed.set)
        changed.wait()

    def when_changed(self, wake) -> None:
        """Has `wake()` called once, by any thread, as soon as it is worth to reserve again."""
        with self._lock:
            if self._credit <= 0 and not self._is_closed:
                self._wake = wake
                return
        wake()

    def _wake_up(self) -> None:
        with self._lock:
            wake, self._wake = self._wake, None
        if wake is not None:
            wake()
