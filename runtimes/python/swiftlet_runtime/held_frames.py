"""What gateways send ahead, before the version is initialised: kept until it can begin."""

from time import monotonic

from . import frames
from .reply import Reply


class HeldFrames:
    def __init__(self):
        self._frames = []

    def hold(self, channel, kind: int, stream: int, payload: bytes) -> None:
        if kind == frames.CANCEL:
            self._frames = [held for held in self._frames if not (held[0] is channel and held[2] == stream)]
            Reply(channel, stream).done()
        else:
            self._frames.append((channel, kind, stream, payload, monotonic()))

    def forget(self, channel) -> None:
        """A connection is gone."""
        self._frames = [held for held in self._frames if held[0] is not channel]

    def release(self, sink) -> None:
        """Says to all who sent something that it begins now, so that they know it from one that never began; then hands it out:
        `sink(channel, kind, stream, payload, held_ms)`."""
        held, self._frames = self._frames, []
        for channel in {channel for channel, *_ in held}:
            channel.send(frames.BEGUN, 0)
        released = monotonic()
        for channel, kind, stream, payload, at in held:
            sink(channel, kind, stream, payload, (released - at) * 1000)
