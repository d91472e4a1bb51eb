"""The framing of src/wire/frames.ts and the numbers of src/wire/instance-protocol.ts: u32 length of the payload, u8 kind, u32 stream,
payload; big-endian."""

from struct import Struct

INVOKE = 0x01
REQUEST_BODY = 0x02
REQUEST_END = 0x03
CANCEL = 0x04
RESPONSE_CREDIT = 0x05
CALL_ANSWER = 0x06
GO_AWAY = 0x07
HEAD = 0x11
RESPONSE_BODY = 0x12
DONE = 0x13
FAILED = 0x14
REQUEST_CREDIT = 0x15
BEGUN = 0x16
CALL = 0x17
PROBE = 0x20
STATE = 0x21
INIT = 0x22
INITIALISED = 0x23
INIT_FAILED = 0x24
LOAD = 0x25
REST = 0x26
RESTING = 0x27
PRELOAD = 0x29
PRELOADED = 0x2A

PROTOCOL_VERSION = 1
MAX_PAYLOAD_BYTES = 1024 * 1024
BODY_CHUNK_BYTES = 64 * 1024
INITIAL_CREDIT_BYTES = 256 * 1024

_header = Struct('>IBI')
_u32 = Struct('>I')

pack_u32 = _u32.pack


def unpack_u32(payload: bytes) -> int:
    return _u32.unpack_from(payload)[0]


def encode_frame(kind: int, stream: int, payload: bytes = b'') -> bytes:
    return _header.pack(len(payload), kind, stream) + payload


class FrameDecoder:
    """Cuts a byte stream into frames."""

    __slots__ = ('_held',)

    def __init__(self):
        self._held = bytearray()

    def push(self, chunk: bytes) -> list:
        """The frames that these bytes complete, each as kind, stream and payload. Raises ValueError for one that is too long."""
        held = self._held
        held += chunk
        frames = []
        at = 0
        while len(held) - at >= _header.size:
            length, kind, stream = _header.unpack_from(held, at)
            if length > MAX_PAYLOAD_BYTES:
                raise ValueError('a frame is too long')
            start = at + _header.size
            if start + length > len(held):
                break
            at = start + length
            frames.append((kind, stream, bytes(held[start:at])))
        del held[:at]
        return frames
