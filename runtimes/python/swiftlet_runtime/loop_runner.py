"""Where async handlers run: in an event loop of the main thread's."""

import asyncio

# Made while nobody waits, see prepare.py.
_ahead = []


def make_loop_ahead() -> None:
    loop = asyncio.new_event_loop()
    # What is done for the first time takes longest.
    loop.run_until_complete(asyncio.sleep(0))
    _ahead.append(loop)


def open_loop(form) -> 'LoopRunner':
    """Has an application make what it needs before its first request. Raises what that raises."""
    loop = _ahead.pop() if _ahead else asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    start = getattr(form, 'start', None)
    if start is not None:
        loop.run_until_complete(start())
    return LoopRunner(loop)


class LoopRunner:
    def __init__(self, loop: asyncio.AbstractEventLoop):
        self._loop = loop
        # A task that nobody refers to may be collected.
        self._tasks = set()

    def submit(self, invocation) -> None:
        """By any thread."""
        self._loop.call_soon_threadsafe(self._begin, invocation)

    def run(self) -> None:
        """Never returns."""
        while True:
            self._loop.run_forever()

    def _begin(self, invocation) -> None:
        task = self._loop.create_task(invocation.run_async())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
