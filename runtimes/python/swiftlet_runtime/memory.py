"""How much memory this process has."""

import os
from time import monotonic

_SAMPLE_EVERY_S = 0.25
_KIB_PER_PAGE = os.sysconf('SC_PAGE_SIZE') // 1024

_sampled_at = float('-inf')
_kibibytes = 0


def resident_kib() -> int:
    """Resident memory, at most 250 ms old: asking for it takes longer than a small handler."""
    global _sampled_at, _kibibytes
    now = monotonic()
    if now - _sampled_at > _SAMPLE_EVERY_S:
        _sampled_at = now
        with open('/proc/self/statm', 'rb') as file:
            _kibibytes = int(file.read().split()[1]) * _KIB_PER_PAGE
    return _kibibytes
