"""Handlers that take an event and return an answer: AWS Lambda's form."""

from json import loads

from .context import Context
from .failure import Refusal
from .rest_event import to_http_event
from .function_url_response import JSON_TYPE, json_body, to_response


class EventForm:
    is_async = False
    streams_requests = False

    def __init__(self, handler):
        self._handler = handler

    def answer(self, invocation) -> None:
        value = self._handler(event_of(invocation), Context(invocation))
        if hasattr(value, '__await__'):
            value = _run(value)
        status, headers, body = response_of(invocation, value)
        reply = invocation.reply
        if isinstance(body, bytes):
            if not reply.answer(status, headers, body):
                reply.head(status, headers)
                reply.send(body)
                reply.done()
            return
        if not hasattr(body, '__next__'):
            raise Refusal('InvalidResponse', 'the body is an async iterator, and the handler is not async; make it "async def"')
        reply.head(status, headers)
        try:
            for chunk in body:
                if not reply.send(bytes_of(chunk)):
                    break
        finally:
            _close(body)
        reply.done()


def bytes_of(chunk) -> bytes:
    """Raises Refusal InvalidResponse."""
    if isinstance(chunk, (bytes, bytearray, memoryview)):
        return chunk
    if isinstance(chunk, str):
        return chunk.encode('utf-8', 'replace')
    raise Refusal('InvalidResponse', f'the body has a chunk that is of type {type(chunk).__name__}; chunks must be bytes or text')


def event_of(invocation):
    """What a handler is given: the event that was sent, or the HTTP request as one."""
    if invocation.is_http:
        return to_http_event(invocation)
    body = invocation.body.whole
    return loads(body) if body else {}


def response_of(invocation, value) -> tuple:
    return to_response(value) if invocation.is_http else (200, ['content-type', JSON_TYPE], json_body(value))


def _run(awaitable):
    """For a handler that does not say that it is async, a decorated one for instance."""
    from asyncio import run

    async def whole():
        return await awaitable

    return run(whole())


def _close(body) -> None:
    close = getattr(body, 'close', None)
    if close is not None:
        close()
