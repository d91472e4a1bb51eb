package swiftlet.runtime;

import java.util.Map;

/** One event, and what came along with it. Names of headers are in lower case. */
record Invocation(byte[] event, Map<String, String> headers) {
  String requestId() {
    return header("lambda-runtime-aws-request-id");
  }

  String functionArn() {
    return header("lambda-runtime-invoked-function-arn");
  }

  String traceId() {
    return header("lambda-runtime-trace-id");
  }

  /** JSON; empty when the caller sent none. */
  String clientContext() {
    return header("lambda-runtime-client-context");
  }

  int remainingMs() {
    long left = Long.parseLong(header("lambda-runtime-deadline-ms")) - System.currentTimeMillis();
    return (int) Math.max(0, Math.min(Integer.MAX_VALUE, left));
  }

  private String header(String name) {
    return headers.getOrDefault(name, "");
  }
}
