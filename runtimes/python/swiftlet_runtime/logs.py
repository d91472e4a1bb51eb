"""What user code prints and logs becomes records that carry their request's id."""

import io
import logging
import sys
from codecs import getincrementaldecoder
from contextvars import ContextVar
from threading import RLock

from .masking import masked
from .output import write_record

# A record's text; the relay keeps no longer lines than this.
_MAX_TEXT_BYTES = 16 * 1024
_levels = ((logging.CRITICAL, 'fatal'), (logging.ERROR, 'error'), (logging.WARNING, 'warn'), (logging.INFO, 'info'), (0, 'debug'))

_request = ContextVar('swiftlet_request', default=None)
# Where one request is served after the other, what threads of the user's print is the current one's; they do not inherit the context.
_current = ''
_is_shared = False
_streams = []


def track_requests(several: bool) -> None:
    """`several`: this instance takes several requests at once."""
    global _is_shared
    _is_shared = several


def enter_request(request_id: str) -> None:
    """What this thread or task prints from now on is this request's."""
    global _current
    _request.set(request_id)
    _current = request_id


def leave_request() -> None:
    """An invocation is over: what it wrote without a line's end is a line now."""
    owner = _request_id_now()
    for stream in _streams:
        stream.finish(owner)


def _request_id_now() -> str:
    request_id = _request.get()
    if request_id is not None:
        return request_id
    return '' if _is_shared else _current


def log(level: str, text: str, request_id: 'str | None' = None) -> None:
    write_record(level, _cut(masked(text)), _request_id_now() if request_id is None else request_id)


def log_failure(failure: dict, level: str = 'error', request_id: 'str | None' = None) -> None:
    log(level, failure.get('stack') or f"{failure['type']}: {failure['message']}", request_id)


def _cut(text: str) -> str:
    data = text.encode('utf-8', 'replace')
    if len(data) <= _MAX_TEXT_BYTES:
        return text
    kept = data[:_MAX_TEXT_BYTES].decode('utf-8', 'ignore')
    return f'{kept}… ({len(data) - len(kept.encode())} bytes cut)'


def capture_output() -> None:
    """Makes print(), the two output streams and the module `logging` write records."""
    sys.stdout = sys.__stdout__ = RecordStream('info', 1)
    sys.stderr = sys.__stderr__ = RecordStream('error', 2)
    _streams.extend((sys.stdout, sys.stderr))
    logging.getLogger().addHandler(RecordHandler())


class RecordStream(io.TextIOBase):
    """sys.stdout or sys.stderr: each line is a record."""

    encoding = 'utf-8'
    errors = 'replace'

    def __init__(self, level: str, descriptor: int):
        super().__init__()
        self._level = level
        self._descriptor = descriptor
        self._lock = RLock()
        # Lines that were begun and not ended, by their requests.
        self._begun = {}
        self.buffer = ByteStream(self)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f'write() argument must be str, not {type(text).__name__}')
        owner = _request_id_now()
        with self._lock:
            *lines, rest = (self._begun.pop(owner, '') + text).split('\n')
            if len(rest) > _MAX_TEXT_BYTES:
                lines.append(rest)
            elif rest:
                self._begun[owner] = rest
        for line in lines:
            log(self._level, line, owner)
        return len(text)

    def finish(self, owner: str) -> None:
        with self._lock:
            line = self._begun.pop(owner, '')
        if line:
            log(self._level, line, owner)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def reconfigure(self, **_options) -> None:
        """Scripts set an encoding by it; here it is UTF-8 always."""


class ByteStream(io.RawIOBase):
    """sys.stdout.buffer, for code that prints bytes."""

    def __init__(self, text: RecordStream):
        super().__init__()
        self._text = text
        self._decoder = getincrementaldecoder('utf-8')('replace')

    def write(self, data) -> int:
        self._text.write(self._decoder.decode(bytes(data)))
        return len(data)

    def writable(self) -> bool:
        return True


class RecordHandler(logging.Handler):
    """The root logger's, as on AWS Lambda: its level decides what is kept, WARNING unless code says otherwise."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = next(name for least, name in _levels if record.levelno >= least)
            log(level, self.format(record))
        except Exception:  # noqa: BLE001 - as the module logging wants it: it says what is wrong and goes on
            self.handleError(record)
