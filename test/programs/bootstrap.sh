#!/bin/bash
# A custom runtime of a shell and curl: what test/e2e/runtime-clients.test.ts asks of every client.
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
cd "$(mktemp -d)"
post() { curl -sS -o answer -w '%{http_code}\n' "$@"; }

if [ "$FAIL" = init ]; then
  echo 'going under' >&2
  exit 7
elif [ "$FAIL" = thrown ]; then
  post "$api/init/error" -d '{"errorMessage":"no table","errorType":"Config.Missing"}'
  exit 1
fi
while true; do
  curl -sS -D headers -o event "$api/invocation/next"
  id=$(sed -n 's/^lambda-runtime-aws-request-id: *\([^\r]*\).*/\1/Ip' headers)
  here="$api/invocation/$id"
  case "$(head -c 1000 event | tr '\0' ' ')" in
    *'"do":"error"'*) post "$here/error" -d '{"errorMessage":"as asked","errorType":"errorString"}' ;;
    *'"do":"exit"'*) exit 3 ;;
    *'"do":"sleep"'*) sleep 10 ;;
    *'"do":"context"'*)
      custom=$(sed -n 's/^lambda-runtime-client-context: .*"name":"\([^"]*\)".*/\1/Ip' headers)
      deadline=$(sed -n 's/^lambda-runtime-deadline-ms: *\([0-9]*\).*/\1/Ip' headers)
      post "$here/response" -d "{\"id\":\"$id\",\"custom\":\"$custom\",\"leftMs\":$((deadline - $(date +%s%3N)))}" ;;
    *'"rawPath":"/streamed"'*)
      { printf '{"statusCode":201,"headers":{"x-from":"bash"}}\0\0\0\0\0\0\0\0one '; printf 'two 🐦'; } |
        post "$here/response" -X POST -T - -H 'Lambda-Runtime-Function-Response-Mode: streaming' \
          -H 'Content-Type: application/vnd.awslambda.http-integration-response' ;;
    *'"rawPath":"/variables"'*)
      env -0 | sort -z | tr '\0' '\n' | grep -E '^(AWS_|LAMBDA_|_HANDLER|TZ|LANG)' > variables
      ls /proc/self/fd | tr '\n' ' ' >> variables
      post "$here/response" --data-binary "$(printf '{"statusCode":200,"body":"%s"}' "$(base64 -w0 variables)")" ;;
    *) post "$here/response" --data-binary @event ;;
  esac
done
