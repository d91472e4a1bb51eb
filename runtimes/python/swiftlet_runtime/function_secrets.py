"""The function's secrets, put where its code finds them."""

import os
from tempfile import gettempdir

from .masking import mask_from_now_on

_FOLDER = 'secrets'


def place_secrets(secrets: list) -> dict:
    """Writes those that are files, in a folder in memory that is this sandbox's own. Returns the variables that they are found by."""
    mask_from_now_on([secret['value'] for secret in secrets])
    folder = os.path.join(gettempdir(), _FOLDER)
    if any(secret['as'] == 'file' for secret in secrets):
        os.mkdir(folder, 0o700)
    return {secret['variable']: _place(secret, folder) for secret in secrets}


def _place(secret: dict, folder: str) -> str:
    if secret['as'] != 'file':
        return secret['value']
    path = os.path.join(folder, secret['variable'])
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), 'w', encoding='utf-8', newline='') as file:
        file.write(secret['value'])
    return path
