"""The agent's question whether anything of a request goes on in this process, answered as soon as nothing does: only then it is frozen."""

from threading import Lock

from . import frames


class Rest:
    def __init__(self, channels: set, activity):
        """`channels`: those that are open."""
        self._channels = channels
        self._activity = activity
        self._lock = Lock()
        # Who waits for the answer.
        self._asker = None

    def ask(self, channel) -> None:
        """`channel` is who asks, and is connected itself."""
        self._asker = channel
        self.look()

    def forget(self, channel) -> None:
        """A connection is gone."""
        if channel is self._asker:
            self._asker = None
        self.look()

    def look(self) -> None:
        """Answers if it can be. Called whenever something has ended."""
        with self._lock:
            asker = self._asker
            # While others are connected their going is waited for.
            if asker is None or len(self._channels) > 1 or not self._activity.is_quiet:
                return
            self._asker = None
        asker.send(frames.RESTING, 0)
