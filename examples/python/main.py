"""Says hello: what the handler returns is the answer's JSON."""

import json
import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event, context):
    name = name_in(event)
    logger.info('greeting %s', name)
    return {'message': f'Hello, {name}!', 'version': context.function_version}


def name_in(event):
    """The name in the query, or in a JSON body, or the world."""
    query = event.get('queryStringParameters') or {}
    if 'name' in query:
        return query['name']
    try:
        return json.loads(event.get('body') or '{}')['name']
    except (ValueError, KeyError, TypeError):
        return 'world'
