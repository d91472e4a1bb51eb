"""Makes this process one that user code can run in."""

import faulthandler
import os
import sys
from threading import Thread
from traceback import print_exc

from .connections import Connections
from .instance import Instance
from .logs import capture_output
from .prepare import prepare

# The platform asks as soon as the process runs; who boots by hand may never do.
_ASKED_WITHIN_S = 1
_BROKEN = 70
_STDERR = 2


def main() -> None:
    """Never returns."""
    connections = Connections()
    instance = Instance(connections.open)
    capture_output()
    _provide_builtins()
    # The last words of a process that native code ends.
    faulthandler.enable(_STDERR)
    Thread(target=_run, args=(connections, instance), daemon=True).start()
    instance.is_known.wait(_ASKED_WITHIN_S)
    prepare(lambda: instance.is_idle)
    instance.serve()


def _run(connections: Connections, instance: Instance) -> None:
    try:
        connections.run(instance.receive, instance.forget)
    except BaseException:  # noqa: BLE001 - nobody would ever hear of this instance again
        print_exc()
        os._exit(_BROKEN)


def _provide_builtins() -> None:
    """What `site` would: it is left out, since it would add the host's packages. exit() and quit() are used in scripts."""
    import site

    site.setquit()
    site.setcopyright()
    site.sethelper()
    sys.dont_write_bytecode = True
