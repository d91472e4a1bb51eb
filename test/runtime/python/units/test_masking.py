import unittest
from base64 import b64encode
from json import dumps
from urllib.parse import quote

from swiftlet_runtime import masking

SECRET = 'pass"word\'\\ü&' + '7f3a' * 4


class Masking(unittest.TestCase):
    def setUp(self):
        masking.mask_from_now_on([SECRET, 'first line of it\nsecond line of it', 'short'])

    def tearDown(self):
        masking.mask_from_now_on([])

    def test_a_secret_is_masked_however_it_is_written(self):
        for written in (SECRET, dumps(SECRET), repr(SECRET), quote(SECRET), SECRET.encode().hex(), 'second line of it'):
            self.assertIn('***', masking.masked(f'before {written} after'))
            self.assertNotIn('7f3a7f3a', masking.masked(written))
        for before in ('', 'a', 'ab', 'abc'):
            self.assertIn('***', masking.masked(b64encode((before + SECRET).encode()).decode()))

    def test_what_is_short_stands_in_other_text_too(self):
        self.assertEqual(masking.masked('a short text'), 'a short text')
