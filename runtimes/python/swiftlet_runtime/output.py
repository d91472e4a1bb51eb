"""Records on descriptor 1, each a line: \\x1e and a JSON array [level, unix ms, request id, text]. They are written at once, so that a
crash right after one loses nothing. The pipe may be full while the platform is away or slow: then a record waits a little, those after it
are dropped, and a mark says how many."""

import os
import select
from json import dumps
from threading import RLock
from time import monotonic, time

_DESCRIPTOR = 1
_PATIENCE_S = 0.1
# A pipe that can be written to takes so much at once without waiting.
_ATOMIC_BYTES = select.PIPE_BUF

# Taken again by what the garbage collector has printed meanwhile.
_lock = RLock()
_writable = select.poll()
_writable.register(_DESCRIPTOR, select.POLLOUT)
# The rest of a record whose beginning is in the pipe.
_torn = b''
_dropped = 0
_is_clogged = False


def write_record(level: str, text: str, request_id: str) -> None:
    """`request_id` is empty when it is no request's."""
    global _torn, _dropped, _is_clogged
    with _lock:
        mark = ''
        if _dropped > 0:
            mark = _line_of('warn', f'… {_dropped} records were dropped: they were written faster than they could be stored', '')
        whole = _torn + (mark + _line_of(level, text, request_id)).encode('utf-8', 'replace')
        written = _write_within(whole, 0 if _is_clogged else _PATIENCE_S)
        _is_clogged = written < len(whole)
        if _is_clogged and written <= len(_torn):
            _torn = _torn[written:]
            _dropped += 1
        else:
            _torn = whole[written:]
            _dropped = 0


def _line_of(level: str, text: str, request_id: str) -> str:
    return f'\x1e{dumps([level, round(time() * 1000), request_id, text], ensure_ascii=False)}\n'


def _write_within(data: bytes, wait_s: float) -> int:
    """Returns how many bytes went out. The descriptor is shared with programs that the function starts, so it is left blocking."""
    until = monotonic() + wait_s
    written = 0
    while written < len(data):
        left = max(0.0, until - monotonic())
        try:
            if not _writable.poll(left * 1000):
                break
            written += os.write(_DESCRIPTOR, data[written : written + _ATOMIC_BYTES])
        except OSError:
            # Nobody will ever read a pipe that is broken.
            return len(data)
    return written
