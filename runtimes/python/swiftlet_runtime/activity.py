"""What goes on in this process of any request: handlers, and what they announced to go on after their answer."""

from threading import Lock, Timer
from time import time

from .logs import log


class Activity:
    """Counted, by any thread."""

    def __init__(self, on_quiet):
        """`on_quiet()` is called whenever nothing goes on any more."""
        self._lock = Lock()
        self._count = 0
        self._on_quiet = on_quiet

    @property
    def is_quiet(self) -> bool:
        return self._count == 0

    def begin(self) -> None:
        with self._lock:
            self._count += 1

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            is_quiet = self._count == 0
        if is_quiet:
            self._on_quiet()

    def add_background(self, future, deadline_ms: float, request_id: str) -> None:
        """Counts a future (of asyncio or concurrent.futures) until it is done, or its request's time is over. Its error is logged."""
        lock = Lock()
        self.begin()

        def end_once() -> bool:
            if not lock.acquire(blocking=False):
                return False
            self.end()
            return True

        def give_up() -> None:
            if end_once():
                log(
                    'warn',
                    'what was given to wait_until() did not end within the time limit; the instance may be frozen or ended before it does',
                    request_id,
                )

        def settle(done) -> None:
            limit.cancel()
            end_once()
            error = None if done.cancelled() else done.exception()
            if error is not None:
                from .failure import failure_of
                from .logs import log_failure

                log_failure(failure_of(error, 'HandlerError'), request_id=request_id)

        limit = Timer(max(0.0, deadline_ms / 1000 - time()), give_up)
        limit.daemon = True
        limit.start()
        future.add_done_callback(settle)
