# Run by the agent once, not by a sandbox: compiles the runtime's modules for this interpreter, and says on its output what that is. See
# src/agent/python-runtime.ts.
import asyncio  # noqa: F401 - some distributions leave it out of their smallest Python
import compileall
import importlib.util
import json
import os
import site
import sys

compileall.compile_dir(os.path.join(sys.argv[1], 'swiftlet_runtime'), quiet=1)
# Of a virtual environment what it was made from: its packages are not the functions'.
interpreter = os.path.abspath(getattr(sys, '_base_executable', sys.executable))
# Packages of the host were left out until here.
site.main()
has_pip = importlib.util.find_spec('pip') is not None
print(json.dumps({'version': sys.version_info[:2], 'prefix': sys.base_prefix, 'interpreter': interpreter, 'pip': has_pip}))
