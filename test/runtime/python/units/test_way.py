import unittest

from swiftlet_runtime.invocation import _way_of


class Ways(unittest.TestCase):
    def test_how_a_request_came(self):
        self.assertEqual(_way_of([]), ('$default', {}, None))
        self.assertEqual(_way_of(['GET /a/{id}', ['id', '7']]), ('GET /a/{id}', {'id': '7'}, None))
        jwt = {'jwt': {'claims': {'sub': 'ada'}, 'scopes': None}}
        self.assertEqual(_way_of(['$default', [], jwt]), ('$default', {}, jwt))
