"""The handler's second argument: AWS Lambda's names, and `invoke` and `wait_until`."""

from time import time

from .environment import log_group_of


_CLIENT_CONTEXT = 'x-amz-client-context'


class Context:
    identity = None

    def __init__(self, invocation):
        settings = invocation.settings
        self._invocation = invocation
        self.function_name = settings['function']
        self.function_version = str(settings['version'])
        self.invoked_function_arn = f"arn:swiftlet:functions:local:default:function:{settings['function']}"
        self.memory_limit_in_mb = str(settings['memoryMiB'])
        self.aws_request_id = invocation.request_id
        self.log_group_name = log_group_of(settings['function'])
        self.log_stream_name = settings['instanceId']

    @property
    def client_context(self):
        """What a client of the Lambda API sent along: `custom`, `env` and `client`, as on AWS Lambda; None when it sent nothing."""
        invocation = self._invocation
        if invocation.is_http or invocation.headers[:1] != [_CLIENT_CONTEXT]:
            return None
        from .client_context import ClientContext

        return ClientContext.read(invocation.headers[1])

    @property
    def path_parameters(self) -> dict:
        """What the route's path has in the place of its parameters; empty at the function's own address."""
        return self._invocation.path_parameters

    @property
    def claims(self) -> dict:
        """What the token says that the caller showed at an address that wants one; empty elsewhere."""
        return ((self._invocation.authorizer or {}).get('jwt') or {}).get('claims') or {}

    @property
    def traceparent(self):
        """The trace that the invocation belongs to, for what it calls: a `traceparent` of W3C Trace Context; None when it belongs to none."""
        headers = self._invocation.headers
        return next((value for name, value in zip(headers[::2], headers[1::2]) if name == 'traceparent'), None)

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round(self._invocation.deadline_ms - time() * 1000))

    def invoke(self, name: str, event=None, *, wait: bool = True):
        """Invokes another function, one that this function's `calls` names.

        Returns what it returned; without `wait` the event is stored, and the answer is its `{'id': …}`. In an async handler it is awaited.
        Raises InvokeError, which has `code` and `status`."""
        return self._invocation.call(name, event, wait).result()

    def wait_until(self, work) -> None:
        """Announces work that goes on after the answer, a future of concurrent.futures: the instance is neither frozen nor ended for being
        idle before it is done, within the function's time limit. What it raises is logged."""
        from concurrent.futures import Future

        if not isinstance(work, Future):
            raise TypeError('wait_until() takes a future, such as executor.submit() returns; in an async handler a coroutine or a task, too')
        self._invocation.add_background(work)
