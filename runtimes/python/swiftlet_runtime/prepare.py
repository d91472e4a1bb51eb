"""What a warm runtime does while it waits: it loads what the first request and most functions need. Each step is short, and the next is
taken only while nobody waits for this process. Nothing of it is shared: each sandbox imports for itself, with its own random state."""

import gc
from importlib import import_module

# The runtime's own, then what user code imports most: together 80 ms and 15 MB, most of which is memory that importers would take, too.
_MODULES = (
    '.event_form',
    '.function_url_event',
    '.rest_event',
    'inspect',
    'asyncio',
    '.loop_runner',
    '.async_event_form',
    '.wsgi_form',
    '.asgi_form',
    '.calls',
    'typing',
    'dataclasses',
    'datetime',
    'decimal',
    'uuid',
    'random',
    'hashlib',
    'hmac',
    'base64',
    'copy',
    'pathlib',
    'tempfile',
    'shutil',
    'subprocess',
    'urllib.parse',
    'urllib.request',
    'http.client',
    'http.cookies',
    'ssl',
    'email.utils',
    'mimetypes',
    'gzip',
    'importlib.metadata',
    'concurrent.futures.thread',
    'ipaddress',
    'string',
    'textwrap',
    'html',
    'csv',
)


def prepare(is_idle) -> None:
    """`is_idle()`: whether nobody waits for this process yet."""
    for name in _MODULES:
        if not is_idle():
            return
        try:
            import_module(name, __package__)
        except ImportError:
            # Some distributions leave parts of the standard library out; who needs them is told at the import.
            pass
    for step in (_rehearse, _make_loop_ahead, _settle):
        if is_idle():
            step()


def _rehearse() -> None:
    """A whole invocation of a handler of ours, so that the first one finds everything loaded and specialised."""
    from .rehearsal import rehearse

    rehearse()


def _make_loop_ahead() -> None:
    from .loop_runner import make_loop_ahead

    make_loop_ahead()


def _settle() -> None:
    """What was made ahead lives as long as this process: no collection of garbage looks at it again."""
    gc.collect()
    gc.freeze()
