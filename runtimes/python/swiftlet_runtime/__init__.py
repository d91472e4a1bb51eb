"""The Python side of docs/instance-protocol.md: one instance of a function, in a process that was booted ahead.

Two threads: the main one runs user code, which may rely on being there (signals, event loops); another one has the platform's connections
(connections.py), so that a handler that computes holds up neither credit nor an answer that is on its way.
"""
