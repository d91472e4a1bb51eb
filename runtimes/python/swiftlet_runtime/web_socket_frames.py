"""The frames of a WebSocket (RFC 6455), without extensions: what a caller sends is read, what it is sent is written."""

from struct import Struct

TEXT = 1
BINARY = 2
CLOSE = 8
PING = 9
PONG = 10

#: A message may be as long as a request's body.
MAX_MESSAGE_BYTES = 6 * 1024 * 1024

NORMAL = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
NO_CODE = 1005
CUT_OFF = 1006
NO_TEXT = 1007
TOO_LONG = 1009
FAILED = 1011

_CONTINUED = 0
_MAX_CONTROL_BYTES = 125
_MAX_SHORT = 125
_IS_16_BITS = 126
_MAX_U16 = 0xFFFF
_MASK_BYTES = 4
_final = 0x80
_masked = 0x80
_u16 = Struct('>H')
_u64 = Struct('>Q')
# Those that an endpoint may send: RFC 6455, 7.4, and what was registered since.
_told = frozenset((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014))


class FrameFault(Exception):
    """The caller does not keep to the protocol."""

    def __init__(self, code: int, reason: str):
        """`code`: what the connection is closed with."""
        super().__init__(reason)
        self.code = code


class FrameReader:
    """Makes messages of a caller's bytes."""

    def __init__(self):
        self._held = bytearray()
        # Of a message that comes in several frames.
        self._kind = None
        self._pieces = []
        self._length = 0

    def push(self, chunk: bytes):
        """The messages and control frames that these bytes complete, each as kind and payload; TEXT as str. Raises FrameFault."""
        self._held += chunk
        while True:
            frame = self._take_frame()
            if frame is None:
                return
            kind, is_final, payload = frame
            if kind >= CLOSE:
                yield kind, payload
                continue
            self._pieces.append(payload)
            self._length += len(payload)
            if is_final:
                yield self._kind, self._whole()

    def _take_frame(self) -> 'tuple | None':
        held = self._held
        if len(held) < 2:
            return None
        kind, is_final = held[0] & 0x0F, bool(held[0] & _final)
        self._check(kind, is_final, held)
        length, at = held[1] & ~_masked, 2
        if length > _MAX_SHORT:
            size = _u16 if length == _IS_16_BITS else _u64
            if len(held) < at + size.size:
                return None
            (length,) = size.unpack_from(held, at)
            at += size.size
        if kind < CLOSE and self._length + length > MAX_MESSAGE_BYTES:
            raise FrameFault(TOO_LONG, f'a message is over {MAX_MESSAGE_BYTES} bytes')
        start = at + _MASK_BYTES
        if len(held) < start + length:
            return None
        payload = _unmasked(held[start : start + length], held[at:start])
        del held[: start + length]
        if kind in (TEXT, BINARY):
            self._kind = kind
        return kind, is_final, payload

    def _check(self, kind: int, is_final: bool, held: bytearray) -> None:
        if held[0] & 0x70:
            raise FrameFault(PROTOCOL_ERROR, 'a frame is for an extension that was not agreed on')
        if not held[1] & _masked:
            raise FrameFault(PROTOCOL_ERROR, 'a frame is not masked')
        if kind in (CLOSE, PING, PONG):
            if not is_final or held[1] & ~_masked > _MAX_CONTROL_BYTES:
                raise FrameFault(PROTOCOL_ERROR, 'a control frame is too long, or comes in pieces')
        elif kind not in (_CONTINUED, TEXT, BINARY):
            raise FrameFault(PROTOCOL_ERROR, f'there are no frames of kind {kind}')
        elif (kind == _CONTINUED) != (self._kind is not None):
            raise FrameFault(PROTOCOL_ERROR, 'a frame goes on with no message, or begins one within another')

    def _whole(self):
        payload = self._pieces[0] if len(self._pieces) == 1 else b''.join(self._pieces)
        kind, self._kind, self._pieces, self._length = self._kind, None, [], 0
        return _text(payload) if kind == TEXT else payload


def encode_message(kind: int, payload: bytes) -> bytes:
    """One frame, as a server sends it: whole and without a mask."""
    length = len(payload)
    if length <= _MAX_SHORT:
        return bytes((_final | kind, length)) + payload
    if length <= _MAX_U16:
        return bytes((_final | kind, _IS_16_BITS)) + _u16.pack(length) + payload
    return bytes((_final | kind, _IS_16_BITS + 1)) + _u64.pack(length) + payload


def encode_close(code: int, reason: str = '') -> bytes:
    """`reason`: cut to what fits."""
    if code in (NO_CODE, CUT_OFF):
        return encode_message(CLOSE, b'')
    words = reason.encode()[: _MAX_CONTROL_BYTES - _u16.size].decode(errors='ignore').encode()
    return encode_message(CLOSE, _u16.pack(code) + words)


def decode_close(payload: bytes) -> tuple:
    """Code and reason. Raises FrameFault."""
    if not payload:
        return NO_CODE, ''
    code = _u16.unpack_from(payload)[0] if len(payload) >= _u16.size else 0
    if code not in _told and not 3000 <= code <= 4999:
        raise FrameFault(PROTOCOL_ERROR, 'it closes with a code that means nothing')
    return code, _text(payload[_u16.size :])


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise FrameFault(NO_TEXT, 'what came as text is not UTF-8') from None


def _unmasked(payload: bytearray, mask: bytearray) -> bytes:
    if not any(mask):
        return bytes(payload)
    size = len(payload)
    key = int.from_bytes((mask * (size // _MASK_BYTES + 1))[:size], 'little')
    return (int.from_bytes(payload, 'little') ^ key).to_bytes(size, 'little')
