"""The second argument of an async handler."""

from asyncio import ensure_future, isfuture, wrap_future
from inspect import isawaitable

from .context import Context


class AsyncContext(Context):
    async def invoke(self, name: str, event=None, *, wait: bool = True):
        """As Context.invoke, awaited."""
        return await wrap_future(self._invocation.call(name, event, wait))

    def wait_until(self, work) -> None:
        """As Context.wait_until; takes a coroutine, a task or a future of asyncio, too."""
        if isawaitable(work) and not isfuture(work):
            work = ensure_future(work)
        if isfuture(work):
            self._invocation.add_background(work)
        else:
            super().wait_until(work)
