"""Invocations of a handler of ours, whose answers nobody gets."""

from .activity import Activity
from .invocation import Invocation, Served
from .load_handler import form_of
from .reply import Reply

_SETTINGS = {'function': 'rehearsal', 'version': 1, 'instanceId': '', 'memoryMiB': 0, 'concurrency': 1}
_HEADERS = ['host', 'localhost', 'accept', '*/*', 'accept', 'text/html', 'cookie', 'a=b']
_ROUNDS = 10


class _Nobody:
    """A connection that nobody listens to."""

    def __init__(self):
        self.streams = {}

    def send(self, kind: int, stream: int, payload: bytes = b'') -> None:
        pass

    def write(self, frames: bytes) -> None:
        pass


class _AtOnce:
    def submit(self, invocation) -> None:
        invocation.run()


def rehearse() -> None:
    served = Served(form_of(_handler), _SETTINGS, _AtOnce())
    activity = Activity(lambda: None)
    channel = _Nobody()
    for stream in range(_ROUNDS):
        for target in ('/', '/path?name=value'):
            Invocation(channel, stream, [0, '', 0, 'GET', target, '', 0, _HEADERS], served, activity).begin()
    Reply(channel, 0).done()


def _handler(event, context):
    return {'path': event['rawPath'], 'left': context.get_remaining_time_in_millis()}
