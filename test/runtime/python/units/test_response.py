import unittest
from decimal import Decimal

from swiftlet_runtime.failure import Refusal
from swiftlet_runtime.function_url_response import json_body, to_response


class Responses(unittest.TestCase):
    def test_what_has_no_status_code_is_json(self):
        for value, text in (
            ('text', '"text"'),
            (None, 'null'),
            ({'a': [1, 'ü😀']}, '{"a":[1,"ü😀"]}'),
            ({'price': Decimal('1.5')}, '{"price":1.5}'),
        ):
            self.assertEqual(to_response(value), (200, ['content-type', 'application/json'], text.encode()))
        self.assertEqual(json_body('\ud83d'), b'"\\ud83d"')

    def test_what_has_one_is_a_response(self):
        value = {'statusCode': '201', 'headers': {'X-A': 1, 'X-B': ['c', 'd'], 'X-None': None}, 'cookies': ['a=1'], 'body': b'\0'}
        headers = ['x-a', '1', 'x-b', 'c', 'x-b', 'd', 'content-type', 'application/json', 'set-cookie', 'a=1']
        self.assertEqual(to_response(value), (201, headers, b'\0'))
        self.assertEqual(to_response({'statusCode': 200, 'body': 'AP8=', 'isBase64Encoded': True})[2], b'\0\xff')
        self.assertEqual(to_response({'statusCode': 204}), (204, [], b''))

    def test_what_is_none_is_refused_with_the_reason(self):
        circular = []
        circular.append(circular)
        for value, code, reason in (
            ({'statusCode': 99}, 'InvalidResponse', 'status code is 99'),
            ({'statusCode': True}, 'InvalidResponse', 'status code is True'),
            ({'statusCode': 200, 'headers': []}, 'InvalidResponse', '"headers" is []'),
            ({'statusCode': 200, 'cookies': 'a=1'}, 'InvalidResponse', '"cookies" is'),
            ({'statusCode': 200, 'body': 7}, 'InvalidResponse', '"body" is 7'),
            ({'statusCode': 200, 'body': 'ü', 'isBase64Encoded': True}, 'InvalidResponse', 'no Base64'),
            ({1, 2}, 'InvalidResponse', 'Object of type set is not JSON serializable'),
            (float('nan'), 'InvalidResponse', 'cannot be written as JSON'),
            (circular, 'InvalidResponse', 'cannot be written as JSON'),
            ('x' * 7_000_000, 'ResponseTooLarge', 'stream it'),
            ({'statusCode': 200, 'headers': {f'h{at}': 'v' for at in range(501)}}, 'ResponseTooLarge', '501 headers'),
        ):
            with self.assertRaisesRegex(Refusal, reason.replace('[', r'\[')) as caught:
                to_response(value)
            self.assertEqual(caught.exception.code, code)
