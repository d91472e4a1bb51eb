"""A runtime's life: booted → dedicated → initialising → initialised | failed. It serves one version, once."""

import sys
from json import dumps, loads
from queue import SimpleQueue
from threading import Event, Lock
from time import monotonic

from . import frames
from .activity import Activity
from .environment import enter_code, set_environment
from .failure import failure_of
from .find_handler import find_handler
from .held_frames import HeldFrames
from .invocation import Invocation, Served, end_process
from .load_handler import load_handler
from .logs import log_failure, track_requests
from .rest import Rest
from .workers import Workers

_VERSION = 'Python ' + sys.version.split()[0]


class Instance:
    """`receive` and `forget` are called by the thread of the connections, `serve` by the main one."""

    def __init__(self, channels: set):
        """`channels`: those that are open, as they come and go."""
        #: Set once the platform has found this process.
        self.is_known = Event()
        self._lock = Lock()
        self._life = 'booted'
        self._held = HeldFrames()
        self._activity = Activity(lambda: self._rest.look())
        self._rest = Rest(channels, self._activity)
        # What the main thread is to do: functions without arguments.
        self._to_do = SimpleQueue()
        self._request = {}
        self._environment_ms = 0.0
        self._served = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for this process yet."""
        return self._life == 'booted'

    def receive(self, channel, kind: int, stream: int, payload: bytes) -> None:
        self.is_known.set()
        if kind == frames.PROBE:
            channel.send(frames.STATE, 0, _json({'protocol': frames.PROTOCOL_VERSION, 'state': self._life, 'runtime': _VERSION}))
        elif kind == frames.INIT:
            self._dedicate(channel, loads(payload))
        elif kind == frames.LOAD:
            self._load(channel, payload.decode())
        elif kind == frames.PRELOAD:
            self._to_do.put(lambda: self._preload(channel, loads(payload)))
        elif kind == frames.REST:
            self._rest.ask(channel)
        else:
            with self._lock:
                if self._life in ('initialised', 'failed'):
                    self._pass_on(channel, kind, stream, payload, 0)
                else:
                    self._held.hold(channel, kind, stream, payload)

    def forget(self, channel) -> None:
        """A connection is gone: nobody waits for what came over it."""
        with self._lock:
            self._held.forget(channel)
        for invocation in list(channel.streams.values()):
            invocation.abandon()
        self._rest.forget(channel)

    def serve(self) -> None:
        """Initialises the version that this process is told to be, and runs its handlers. Never returns."""
        while True:
            self._to_do.get()()

    def _dedicate(self, channel, request: dict) -> None:
        """All that can be done for a version before its code is there."""
        if self._life != 'booted':
            self._refuse(channel)
            return
        start = monotonic()
        self._life = 'dedicated'
        set_environment(request)
        track_requests(request['concurrency'] > 1)
        self._request = request
        self._environment_ms = _ms_since(start)

    def _load(self, channel, folder: str) -> None:
        if self._life != 'dedicated':
            self._refuse(channel)
            return
        self._life = 'initialising'
        self._to_do.put(lambda: self._initialise(channel, folder))

    def _preload(self, channel, request: dict) -> None:
        """Still nobody's: it imports what its pool has, and is as it was otherwise."""
        from .preload import preload

        channel.send(frames.PRELOADED, 0, _json({'failed': preload(request['modules'], request.get('layers'))}))

    def _initialise(self, channel, folder: str) -> None:
        try:
            start = monotonic()
            enter_code(folder, self._request.get('layers'))
            module, function = find_handler(folder, self._request['handler'])
            runtime_ms = _ms_since(start)
            found = monotonic()
            form = load_handler(module, function)
            runner = _runner_of(form, self._request['concurrency'])
            report = {'environmentMs': self._environment_ms, 'runtimeMs': runtime_ms, 'initMs': _ms_since(found)}
        except BaseException as error:  # noqa: BLE001 - whatever user code raises
            self._fail(channel, error)
            return
        with self._lock:
            self._served = Served(form, self._request, runner)
            self._life = 'initialised'
            channel.send(frames.INITIALISED, 0, _json(report))
            self._held.release(self._pass_on)
        runner.run()

    def _fail(self, channel, error: BaseException) -> None:
        if isinstance(error, SystemExit):
            end_process(error)
        failure = failure_of(error, 'InitError')
        log_failure(failure)
        with self._lock:
            self._life = 'failed'
            channel.send(frames.INIT_FAILED, 0, _json(failure))

    def _pass_on(self, channel, kind: int, stream: int, payload: bytes, held_ms: float) -> None:
        """`held_ms`: how long the frame was kept."""
        if kind == frames.INVOKE:
            head = loads(payload)
            head[2] += held_ms
            self._invoke(channel, stream, head)
            return
        invocation = channel.streams.get(stream)
        if invocation is None:
            return
        if kind == frames.REQUEST_BODY:
            invocation.receive(payload)
        elif kind == frames.REQUEST_END:
            invocation.receive_end()
        elif kind == frames.CANCEL:
            invocation.cancel()
        elif kind == frames.GO_AWAY:
            invocation.go_away()
        elif kind == frames.CALL_ANSWER:
            invocation.take_call_answer(payload)
        elif kind == frames.RESPONSE_CREDIT:
            invocation.reply.take_credit(frames.unpack_u32(payload))

    def _invoke(self, channel, stream: int, head: list) -> None:
        is_taken = stream in channel.streams
        if self._served is None or is_taken:
            what = 'the stream is in use' if is_taken else f'the runtime is {self._life}'
            failure = {'code': 'Internal', 'type': 'Protocol', 'message': f'invoked out of turn: {what}'}
            channel.send(frames.FAILED, stream, _json(failure))
            return
        invocation = Invocation(channel, stream, head, self._served, self._activity)
        channel.streams[stream] = invocation
        invocation.begin()

    def _refuse(self, channel) -> None:
        message = f'initialised out of turn: the runtime is {self._life}'
        channel.send(frames.INIT_FAILED, 0, _json({'code': 'InitError', 'type': 'Protocol', 'message': message}))


def _runner_of(form, concurrency: int):
    if not form.is_async:
        return Workers(concurrency)
    from .loop_runner import open_loop

    return open_loop(form)


def _json(value) -> bytes:
    return dumps(value).encode()


def _ms_since(start: float) -> float:
    return (monotonic() - start) * 1000
