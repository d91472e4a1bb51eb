"""One connection of the platform to this instance."""

from threading import Lock

from .frames import FrameDecoder, encode_frame

_READ_BYTES = 256 * 1024


class Channel:
    """Written to by any thread, read by the one of connections.py."""

    def __init__(self, socket, watch):
        """`watch(channel, writable)` says whether `write_rest` is to be called once the socket takes more."""
        #: The invocations that came this way and are not over, by their streams.
        self.streams = {}
        self.is_closed = False
        self._socket = socket
        self._decoder = FrameDecoder()
        self._watch = watch
        self._lock = Lock()
        # What the socket did not take yet. Credit bounds it: 256 KiB for each open stream.
        self._unsent = bytearray()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, kind: int, stream: int, payload: bytes = b'') -> None:
        self.write(encode_frame(kind, stream, payload))

    def write(self, frames: bytes) -> None:
        """Sends what is framed already: at once, as far as the socket takes it."""
        with self._lock:
            if self.is_closed:
                return
            sent = 0 if self._unsent else self._try_send(frames)
            if sent == len(frames):
                return
            self._unsent += frames[sent:]
            self._watch(self, True)

    def write_rest(self) -> None:
        """Sends more of what is unsent."""
        with self._lock:
            del self._unsent[: self._try_send(self._unsent)]
            if not self._unsent:
                self._watch(self, False)

    def read(self) -> list:
        """Frames that have come. Raises EOFError when it is closed, ValueError when they are none."""
        try:
            chunk = self._socket.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            chunk = b''
        if not chunk:
            raise EOFError
        return self._decoder.push(chunk)

    def close(self) -> None:
        with self._lock:
            self.is_closed = True
            self._unsent.clear()
            self._socket.close()

    def _try_send(self, frames) -> int:
        try:
            return self._socket.send(frames)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            # It is gone, which the reading end learns and tells.
            return len(frames)
