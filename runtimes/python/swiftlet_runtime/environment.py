"""What the function's code finds in its environment."""

import os
import sys

_PACKAGES = 'site-packages'
# Nobody has said which: clients of AWS's services want one, and a function's own variables win.
_REGION = 'us-east-1'
_NEVER_SHADOWED = ('__main__', __package__)


def set_environment(request: dict) -> None:
    """Sets the names that code from AWS Lambda knows, then the function's own variables, which win."""
    os.environ.update(
        {
            'AWS_EXECUTION_ENV': f'Swiftlet_python{sys.version_info[0]}.{sys.version_info[1]}',
            'AWS_REGION': _REGION,
            'AWS_DEFAULT_REGION': _REGION,
            'AWS_LAMBDA_INITIALIZATION_TYPE': 'on-demand',
            'AWS_LAMBDA_FUNCTION_NAME': request['function'],
            'AWS_LAMBDA_FUNCTION_VERSION': str(request['version']),
            'AWS_LAMBDA_FUNCTION_MEMORY_SIZE': str(request['memoryMiB']),
            'AWS_LAMBDA_LOG_GROUP_NAME': log_group_of(request['function']),
            'AWS_LAMBDA_LOG_STREAM_NAME': request['instanceId'],
            '_HANDLER': request['handler'],
            **_layer_variables(request.get('layers')),
            **request['environment'],
        }
    )
    secrets = request.pop('secrets', None)
    if secrets:
        from .function_secrets import place_secrets

        # They are where code finds them, and nowhere else.
        os.environ.update(place_secrets(secrets))


def enter_code(folder: str, layers: 'str | None' = None) -> None:
    """Makes the code's folder the one where relative paths and imports begin; packages that a deploy installed come after it, then layers'."""
    os.environ.setdefault('LAMBDA_TASK_ROOT', folder)
    os.chdir(folder)
    named = [path for path in os.environ.get('PYTHONPATH', '').split(os.pathsep) if path]
    packages = layer_packages(layers)
    before = [folder, *(path for path in named if path not in packages), os.path.join(folder, _PACKAGES), *packages]
    sys.path[:] = [*before, *(path for path in sys.path if path not in packages)]
    for place in [folder, *packages]:
        _forget_shadowed(place)


def layer_packages(layers: 'str | None') -> list:
    """Where layers have packages, as on AWS Lambda; those that there are."""
    if layers is None:
        return []
    python = os.path.join(layers, 'python')
    site = os.path.join(python, 'lib', f'python{sys.version_info[0]}.{sys.version_info[1]}', _PACKAGES)
    return [path for path in (site, python) if os.path.isdir(path)]


def _layer_variables(layers: 'str | None') -> dict:
    """By which what a function starts finds modules, programs and libraries."""
    if layers is None:
        return {}
    return {
        'PATH': f'{os.environ.get("PATH", "")}:{layers}/bin',
        'PYTHONPATH': f'{layers}/python',
        'LD_LIBRARY_PATH': f'{layers}/lib',
    }


def _forget_shadowed(folder: str) -> None:
    """What was imported ahead and has the name of one of the function's own modules would be found instead of that."""
    for name in os.listdir(folder):
        stem, extension = os.path.splitext(name)
        is_module = extension == '.py' or (stem in sys.modules and os.path.exists(os.path.join(folder, name, '__init__.py')))
        if is_module and stem not in sys.builtin_module_names and stem not in _NEVER_SHADOWED and not _is_from(folder, stem):
            sys.modules.pop(stem, None)


def _is_from(folder: str, name: str) -> bool:
    """Whether it is that very module: a custom pool's sandbox has imported its layers' ahead."""
    file = getattr(sys.modules.get(name), '__file__', None)
    return file is not None and file.startswith(folder + os.sep)


def log_group_of(name: str) -> str:
    """Of a function by its name."""
    return f'/swiftlet/{name}'
