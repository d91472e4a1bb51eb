"""From a module to something that can be invoked: the user's modules are evaluated here."""

from importlib import import_module
from types import FunctionType

from .event_form import EventForm
from .failure import Refusal

_USUAL_NAMES = ('handler', 'lambda_handler', 'app', 'application')
_ASGI_PARAMETERS = 3
_IS_COROUTINE_FUNCTION = 0x80


def load_handler(module_name: str, function_name: 'str | None'):
    """Returns a form, see `Served`. Raises Refusal, or what the user's modules raise."""
    module = import_module(module_name)
    names = _USUAL_NAMES if function_name is None else (function_name,)
    for name in names:
        form = form_of(getattr(module, name, None))
        if form is not None:
            return form
    wanted = ' or '.join(f'"{name}"' for name in names)
    raise Refusal(
        'HandlerNotFound',
        f'{module_name.replace(".", "/")}.py has {_offered(module)}; '
        f'it must have {wanted} as a function of an event and a context, or as a WSGI or ASGI application',
    )


def form_of(value):
    """By what the parameters of a callable are called: frameworks' applications say by them which interface they are for."""
    if not callable(value) or isinstance(value, type):
        return None
    names, is_async = _interface_of(value)
    if names[-1:] == ['start_response']:
        from .wsgi_form import WsgiForm

        return WsgiForm(value)
    if names[-2:] == ['receive', 'send'] or (is_async and len(names) == _ASGI_PARAMETERS):
        from .asgi_form import AsgiForm

        return AsgiForm(value)
    if is_async:
        from .async_event_form import AsyncEventForm

        return AsyncEventForm(value)
    return EventForm(value)


def _interface_of(value) -> tuple:
    """The names of its parameters, and whether it is async."""
    if type(value) is FunctionType and not hasattr(value, '__wrapped__'):
        code = value.__code__
        return list(code.co_varnames[: code.co_argcount]), bool(code.co_flags & _IS_COROUTINE_FUNCTION)
    # It takes 5 ms to load where it is not loaded ahead.
    from inspect import iscoroutinefunction, signature

    try:
        names = list(signature(value).parameters)
    except (TypeError, ValueError):
        # Some that are written in C do not tell.
        names = []
    return names, iscoroutinefunction(value) or iscoroutinefunction(getattr(value, '__call__', None))


def _offered(module) -> str:
    own = [name for name, value in vars(module).items() if callable(value) and getattr(value, '__module__', '') == module.__name__]
    return ', '.join(f'"{name}"' for name in own) if own else 'no function'
