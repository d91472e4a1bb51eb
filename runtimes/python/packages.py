# Run in a build's sandbox, not by functions: installs what the working directory asks for, and compiles it, so that no start has to. Its
# arguments are more of pip's. See src/agent/builds/pip-command.ts.
import os
import subprocess
import sys

TARGET = 'site-packages'
# Where functions have them.
INSIDE = '/var/task/site-packages'
REQUIREMENTS = 'requirements.txt'
PROJECT = 'pyproject.toml'
WHEELS = 'wheels'
PIP = [sys.executable, '-m', 'pip', 'install', '--no-compile', '--no-input', '--no-color', '--progress-bar', 'off']
COMPILE = [sys.executable, '-I', '-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', '-s', TARGET, '-p', INSIDE, TARGET]


def dependencies() -> list:
    """Those of the project, as lines of a requirements.txt."""
    try:
        import tomllib
    except ModuleNotFoundError:
        from pip._vendor import tomli as tomllib
    with open(PROJECT, 'rb') as file:
        try:
            project = tomllib.load(file).get('project', {})
        except tomllib.TOMLDecodeError as error:
            sys.exit(f'Invalid requirement: {PROJECT}: {error}')
    found = project.get('dependencies', [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        sys.exit(f'Invalid requirement: {PROJECT}: project.dependencies: a list of texts, such as "flask>=3"')
    return found


def install(more: list) -> int:
    requirements = REQUIREMENTS
    if not os.path.exists(requirements):
        requirements = '.requirements.txt'
        with open(requirements, 'w', encoding='utf-8') as file:
            file.write('\n'.join(dependencies()) + '\n')
    offline = ['--no-index', '--find-links', WHEELS] if os.path.isdir(WHEELS) else []
    code = subprocess.call([*PIP, *more, *offline, '--target', TARGET, '--requirement', requirements])
    if code == 0:
        # What cannot be compiled is templates, or for another Python: it is found out when it is imported. With another order of hashes the
        # files would be others each time.
        subprocess.call(COMPILE, env={**os.environ, 'PYTHONHASHSEED': '0'}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return code


if __name__ == '__main__':
    sys.exit(install(sys.argv[1:]))
