import unittest
from types import SimpleNamespace

from swiftlet_runtime.rest_event import to_http_event


def invocation(**settings):
    return SimpleNamespace(
        target='/users/7?a=1&a=2',
        headers=['host', 'fn.example', 'x-a', '1', 'x-a', '2'],
        body=SimpleNamespace(whole=b'told'),
        settings={'function': 'tested', **settings},
        route_key='GET /users/{id}',
        path_parameters={'id': '7'},
        authorizer={'jwt': {'claims': {'sub': 'ada'}, 'scopes': None}},
        method='GET',
        source_ip='192.0.2.1',
        request_id='id-7',
    )


class RestEvents(unittest.TestCase):
    def test_in_format_1_the_event_is_that_of_a_rest_api(self):
        event = to_http_event(invocation(payload='1.0'))
        context = event.pop('requestContext')
        self.assertEqual(
            event,
            {
                'version': '1.0',
                'resource': '/users/{id}',
                'path': '/users/7',
                'httpMethod': 'GET',
                'headers': {'host': 'fn.example', 'x-a': '2'},
                'multiValueHeaders': {'host': ['fn.example'], 'x-a': ['1', '2']},
                'queryStringParameters': {'a': '2'},
                'multiValueQueryStringParameters': {'a': ['1', '2']},
                'pathParameters': {'id': '7'},
                'stageVariables': None,
                'body': 'told',
                'isBase64Encoded': False,
            },
        )
        self.assertEqual((context['identity']['sourceIp'], context['resourcePath']), ('192.0.2.1', '/users/{id}'))
        self.assertEqual(context['authorizer']['claims'], {'sub': 'ada'})

    def test_else_that_of_a_function_url(self):
        self.assertEqual(to_http_event(invocation())['version'], '2.0')
