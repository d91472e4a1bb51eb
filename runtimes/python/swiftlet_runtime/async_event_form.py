"""Handlers that take an event and return an answer, in an event loop."""

from .async_context import AsyncContext
from .event_form import bytes_of, event_of, response_of


class AsyncEventForm:
    is_async = True
    streams_requests = False

    def __init__(self, handler):
        self._handler = handler

    async def answer(self, invocation) -> None:
        value = self._handler(event_of(invocation), AsyncContext(invocation))
        status, headers, body = response_of(invocation, await value if hasattr(value, '__await__') else value)
        reply = invocation.reply
        if isinstance(body, bytes) and reply.answer(status, headers, body):
            return
        reply.head(status, headers)
        if isinstance(body, bytes):
            await reply.send_async(body)
        elif hasattr(body, '__anext__'):
            async for chunk in body:
                if not await reply.send_async(bytes_of(chunk)):
                    break
        else:
            for chunk in body:
                if not await reply.send_async(bytes_of(chunk)):
                    break
        reply.done()
