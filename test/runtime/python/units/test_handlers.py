import unittest
from functools import wraps

from swiftlet_runtime.asgi_form import AsgiForm
from swiftlet_runtime.async_event_form import AsyncEventForm
from swiftlet_runtime.event_form import EventForm
from swiftlet_runtime.load_handler import form_of
from swiftlet_runtime.wsgi_form import WsgiForm


def event(_event, _context): ...
async def async_event(_event, _context): ...
def wsgi(environ, start_response): ...
async def asgi(scope, receive, send): ...
async def asgi_by_other_names(s, r, w): ...


def decorated(function):
    @wraps(function)
    def around(*args):
        return function(*args)

    return around


class WsgiApplication:
    def __call__(self, environ, start_response): ...


class AsgiApplication:
    async def __call__(self, scope, receive, send): ...


class Forms(unittest.TestCase):
    def test_a_callable_is_known_by_its_parameters(self):
        for value, form in (
            (event, EventForm),
            (async_event, AsyncEventForm),
            (lambda *_: None, EventForm),
            (print, EventForm),
            (wsgi, WsgiForm),
            (decorated(wsgi), WsgiForm),
            (WsgiApplication(), WsgiForm),
            (asgi, AsgiForm),
            (asgi_by_other_names, AsgiForm),
            (AsgiApplication(), AsgiForm),
        ):
            self.assertIs(type(form_of(value)), form, value)

    def test_what_cannot_be_called_with_an_event_is_none(self):
        for value in (None, 1, 'text', {}, WsgiApplication):
            self.assertIsNone(form_of(value), value)
