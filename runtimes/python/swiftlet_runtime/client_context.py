"""What a client of the Lambda API sends along with an event, with the names that AWS's own runtime gives it."""

from base64 import b64decode
from json import loads

_CLIENT_MEMBERS = ('installation_id', 'app_title', 'app_version_name', 'app_version_code', 'app_package_name')


class Client:
    def __init__(self, said: dict):
        for name in _CLIENT_MEMBERS:
            setattr(self, name, said.get(name))


class ClientContext:
    """`custom` and `env`: what was sent, or None; `client`: a Client, or None."""

    def __init__(self, said: dict):
        self.custom = said.get('custom')
        self.env = said.get('env')
        client = said.get('client')
        self.client = Client(client) if isinstance(client, dict) else None

    @classmethod
    def read(cls, encoded: str) -> 'ClientContext':
        """`encoded`: JSON in Base64, which the gateway has checked."""
        return cls(loads(b64decode(encoded)))
