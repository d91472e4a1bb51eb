"""What is told to the platform of a mistake, see `InvocationFailure` in src/wire/instance-protocol.ts."""

import os
from json import dumps
from traceback import extract_tb, format_exception, format_list

from .masking import masked

_MAX_CHARACTERS = 16 * 1024
# Of a recursion without an end there are a thousand.
_MAX_FRAMES = 100
_OUR_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Refusal(Exception):
    """A mistake of the user's code that the runtime found, rather than one that the code raised."""

    def __init__(self, code: str, message: str):
        """`code` is InvalidResponse, ResponseTooLarge, WebSocketUnsupported, HandlerNotFound or InitError; the message says what is wrong and what to do."""
        super().__init__(message)
        self.code = code


def failure_of(error: BaseException, code: str, request_id: str = '') -> dict:
    """What is told of anything that was raised; `code` unless it is a Refusal. `request_id`: empty while it is initialised. Never raises itself."""
    if isinstance(error, Refusal):
        return {'code': error.code, 'type': error.code, 'message': masked(str(error))}
    try:
        message = str(error)
        stack = ''.join(format_exception(type(error), error, _user_traceback(error)))
    except Exception:  # noqa: BLE001 - its own methods are user code
        return {'code': code, 'type': 'unknown', 'message': 'something was raised that cannot be read'}
    return {
        'code': code,
        'type': masked(type(error).__name__),
        'message': masked(message + _remedy(error))[:_MAX_CHARACTERS],
        'stack': masked(stack.rstrip())[-_MAX_CHARACTERS:],
        'payload': _as_lambda_says(error, message, code, request_id),
    }


def _as_lambda_says(error: BaseException, message: str, code: str, request_id: str) -> str:
    """For callers of the Lambda API, as JSON: the members that AWS's own client of the Runtime API posts."""
    type_name, said = type(error).__name__, message
    if code == 'InitError' and isinstance(error, (ImportError, SyntaxError)):
        type_name = 'Runtime.ImportModuleError' if isinstance(error, ImportError) else 'Runtime.UserCodeSyntaxError'
        said = f'{type(error).__name__}: {message}'
    frames = format_list(extract_tb(_user_traceback(error))[-_MAX_FRAMES:])
    return dumps(
        {
            'errorMessage': masked(said)[:_MAX_CHARACTERS],
            'errorType': masked(type_name),
            'requestId': request_id,
            'stackTrace': [masked(frame)[:_MAX_CHARACTERS] for frame in frames],
        }
    )


def _remedy(error: BaseException) -> str:
    if not isinstance(error, ModuleNotFoundError):
        return ''
    return '; a package of that name has to stand in requirements.txt or pyproject.toml, so that a deploy installs it'


def _user_traceback(error: BaseException):
    """Where it was raised, from the first place on that is not the runtime's."""
    trace = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_ours(path: str) -> bool:
    return path.startswith(_OUR_FOLDER) or path.startswith('<frozen importlib') or path.endswith('/importlib/__init__.py')
