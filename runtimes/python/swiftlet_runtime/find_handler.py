"""From "folder/module.function" to a module's name. Nothing of the user's is run for it."""

import os

from .failure import Refusal

_SHOWN_FILES = 20


def find_handler(folder: str, handler: str) -> tuple:
    """Returns the module's name as `import` takes it, and the function's; None for that: the usual ones are tried. Raises Refusal."""
    path, dot, name = handler.rpartition('.')
    if dot and _is_module(folder, path):
        return _dotted(path), name
    if _is_module(folder, handler):
        return _dotted(handler), None
    wanted = _relative(path if dot else handler)
    raise Refusal('HandlerNotFound', f'the handler "{handler}" needs a file {wanted}.py; the bundle has {_list_files(folder)}')


def _relative(path: str) -> str:
    return path[2:].replace('.', '/') if path.startswith('./') else path.replace('.', '/')


def _dotted(path: str) -> str:
    return _relative(path).replace('/', '.')


def _is_module(folder: str, path: str) -> bool:
    place, base = os.path.split(os.path.join(folder, _relative(path)))
    if not base:
        return False
    if os.path.isfile(os.path.join(place, base, '__init__.py')):
        return True
    return any(name == f'{base}.py' or (name.startswith(f'{base}.') and name.endswith('.so')) for name in _names_in(place))


def _names_in(folder: str) -> list:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _list_files(folder: str) -> str:
    names = sorted(_names_in(folder))
    if not names:
        return 'no files'
    return ', '.join(names[:_SHOWN_FILES]) + (f', … ({len(names)} in all)' if len(names) > _SHOWN_FILES else '')
