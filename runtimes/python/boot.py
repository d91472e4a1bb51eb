# The first file of every Python sandbox. It listens on descriptor 3, where the platform made a socket before this process began.
# See docs/instance-protocol.md.
import os
import sys

# The runtime is a package, so that none of its modules has a name that a function's own may have; its folder is on the path no longer
# than it takes to find it.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from swiftlet_runtime.main import main  # noqa: E402

del sys.path[0]
main()
