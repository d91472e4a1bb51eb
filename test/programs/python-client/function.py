"""What the tests of custom runtimes ask of every client, see test/e2e/runtime-clients.test.ts."""
import os
import time

if os.environ.get("FAIL") == "init":
    os._exit(7)
if os.environ.get("FAIL") == "thrown":
    raise LookupError("no table")


def handler(event, context):
    asked = event if isinstance(event, dict) else {}
    match asked.get("do"):
        case "error":
            raise ValueError("as asked")
        case "exit":
            os._exit(3)
        case "sleep":
            time.sleep(10)
        case "context":
            custom = context.client_context.custom["name"]
            return {"id": context.aws_request_id, "custom": custom, "leftMs": context.get_remaining_time_in_millis()}
    if asked.get("rawPath") == "/streamed":
        return {"statusCode": 201, "headers": {"x-from": "python"}, "body": "one two 🐦"}
    return event
