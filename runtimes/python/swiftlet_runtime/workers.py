"""Where handlers run that are not async: on the main thread, and on more when several requests are taken at once."""

from queue import SimpleQueue
from threading import Lock, Thread

# A sandbox has 128 processes and threads in all.
_MOST_THREADS = 96


class Workers:
    def __init__(self, concurrency: int):
        self._most = min(concurrency, _MOST_THREADS)
        self._waiting = SimpleQueue()
        self._lock = Lock()
        # Those that wait or run; threads, with the main one.
        self._open = 0
        self._threads = 1

    def submit(self, invocation) -> None:
        """By any thread."""
        with self._lock:
            self._open += 1
            is_short = self._threads < min(self._open, self._most)
            self._threads += is_short
        self._waiting.put(invocation)
        if is_short:
            Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        """Never returns."""
        while True:
            self._waiting.get().run()
            with self._lock:
                self._open -= 1
