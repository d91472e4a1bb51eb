"""What a custom pool's sandbox imports before anybody asks for it, so that functions which import the same find it imported."""

import gc
import sys
from importlib import import_module

from .environment import layer_packages


def preload(modules: list, layers: 'str | None') -> list:
    """Imports them in their order. Gives those that could not be imported, and why."""
    sys.path[:0] = layer_packages(layers)
    failed = []
    for name in modules:
        try:
            import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever user code raises
            failed.append({'module': name, 'message': f'{type(error).__name__}: {error}'})
    # It lives as long as this process: no collection of garbage looks at it again.
    gc.collect()
    gc.freeze()
    return failed
