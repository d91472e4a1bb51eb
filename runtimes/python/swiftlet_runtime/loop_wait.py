"""What waits in an event loop for something that another thread does."""

from asyncio import get_running_loop


async def changed(when_changed) -> None:
    """Returns once the callback that `when_changed` is given was called, by whatever thread."""
    loop = get_running_loop()
    waiting = loop.create_future()

    def settle() -> None:
        if not waiting.done():
            waiting.set_result(None)

    when_changed(lambda: loop.call_soon_threadsafe(settle))
    await waiting
