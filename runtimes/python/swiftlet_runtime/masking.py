"""Keeps the function's secrets out of what the platform is told of it. Code that wants to give a secret away can; this is for what happens
without wanting it: an environment that is printed, a message with a connection string."""

import re
from json import dumps

_MASK = '***'
# No secret is shorter; a line of one that is stands in other text, too.
_SHORTEST = 8
_BITS_PER_BYTE = 8
_BITS_PER_DIGIT = 6

# Everything that is masked, the longest first.
_forms = []


def mask_from_now_on(values: list) -> None:
    global _forms
    _forms = sorted({form for value in values for form in _forms_of(value)}, key=len, reverse=True)


def masked(text: str) -> str:
    """A text without any secret, in whatever way one was written into it."""
    for form in _forms:
        text = text.replace(form, _MASK)
    return text


def _forms_of(value: str) -> list:
    """As programs write it: as it is, in JSON, in what Python makes of it, in a URL, in Base64, in hex, and line by line."""
    from urllib.parse import quote

    data = value.encode()
    lines = [line.strip() for line in re.split(r'\r?\n', value)]
    forms = [
        value,
        dumps(value)[1:-1],
        dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr(data)[2:-1],
        quote(value, safe=''),
        quote(value),
        data.hex(),
        *(lines if len(lines) > 1 else []),
        *(form for before in range(3) for form in _base64_of(data, before)),
    ]
    return [form for form in forms if len(form) >= _SHORTEST]


def _base64_of(data: bytes, before: int) -> list:
    """What is always the same of it in Base64, with so many bytes (modulo three) in front of it: `user:secret` in a header."""
    from base64 import b64encode, urlsafe_b64encode

    first = -(-before * _BITS_PER_BYTE // _BITS_PER_DIGIT)
    last = (before + len(data)) * _BITS_PER_BYTE // _BITS_PER_DIGIT
    shifted = bytes(before) + data
    return [encode(shifted).decode()[first:last] for encode in (b64encode, urlsafe_b64encode)]
