"""The thread that has the platform's connections: it accepts them and reads them, and writes what a socket did not take at once."""

import os
import select
from socket import socket

from .channel import Channel

_LISTENER_DESCRIPTOR = 3


class Connections:
    def __init__(self):
        #: Those that are open.
        self.open = set()
        self._by_descriptor = {}
        # Programs that the function starts have no part in it.
        os.set_inheritable(_LISTENER_DESCRIPTOR, False)
        self._listener = socket(fileno=_LISTENER_DESCRIPTOR)
        self._listener.setblocking(False)
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)

    def run(self, on_frame, on_close) -> None:
        """`on_frame(channel, kind, stream, payload)`: what it raises closes the connection; `on_close(channel)`. Never returns."""
        while True:
            for descriptor, events in self._poll.poll():
                channel = self._by_descriptor.get(descriptor)
                if channel is not None:
                    if not self._serve(channel, events, on_frame):
                        self._close(channel)
                        on_close(channel)
                elif descriptor == _LISTENER_DESCRIPTOR:
                    self._accept()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        channel = Channel(connection, self._watch)
        self.open.add(channel)
        self._by_descriptor[channel.fileno()] = channel
        self._poll.register(channel, select.EPOLLIN)

    def _watch(self, channel: Channel, writable: bool) -> None:
        # By any thread: the kernel tells the one that waits.
        self._poll.modify(channel, select.EPOLLIN | select.EPOLLOUT if writable else select.EPOLLIN)

    def _serve(self, channel: Channel, events: int, on_frame) -> bool:
        """Returns whether it is still open."""
        if events & select.EPOLLOUT:
            channel.write_rest()
        if not events & ~select.EPOLLOUT:
            return True
        try:
            for kind, stream, payload in channel.read():
                on_frame(channel, kind, stream, payload)
        except Exception:  # noqa: BLE001 - whatever the reason: the other side does not keep to the protocol, or is gone
            return False
        return True

    def _close(self, channel: Channel) -> None:
        del self._by_descriptor[channel.fileno()]
        self.open.discard(channel)
        self._poll.unregister(channel)
        channel.close()
