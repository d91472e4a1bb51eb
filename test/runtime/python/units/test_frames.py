import unittest

from swiftlet_runtime.frames import FrameDecoder, MAX_PAYLOAD_BYTES, encode_frame

FRAMES = [(0x01, 1, b'["head"]'), (0x03, 0xFFFF_FFFF, b''), (0x02, 7, bytes(range(256)) * 300)]


class Frames(unittest.TestCase):
    def test_the_layout(self):
        self.assertEqual(encode_frame(0x12, 0x01020304, b'ab'), b'\0\0\0\2\x12\1\2\3\4ab')

    def test_they_come_out_as_they_went_in_however_they_are_cut(self):
        whole = b''.join(encode_frame(*frame) for frame in FRAMES)
        for size in (1, 2, 8, 9, 10, 4096, len(whole)):
            decoder = FrameDecoder()
            got = [frame for at in range(0, len(whole), size) for frame in decoder.push(whole[at : at + size])]
            self.assertEqual(got, FRAMES, f'in pieces of {size}')

    def test_one_that_is_too_long_is_refused_before_it_has_come(self):
        FrameDecoder().push(encode_frame(1, 1, bytes(MAX_PAYLOAD_BYTES)))
        with self.assertRaises(ValueError):
            FrameDecoder().push((MAX_PAYLOAD_BYTES + 1).to_bytes(4, 'big') + b'\1\0\0\0\1')
