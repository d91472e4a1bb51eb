package swiftlet.runtime;

/** What the environment says of the function. */
final class Settings {
  private static final String ONE = "1";

  private Settings() {}

  static String handler() {
    return text("_HANDLER");
  }

  static String runtimeApi() {
    return text("AWS_LAMBDA_RUNTIME_API");
  }

  static String functionName() {
    return text("AWS_LAMBDA_FUNCTION_NAME");
  }

  static String functionVersion() {
    return text("AWS_LAMBDA_FUNCTION_VERSION");
  }

  static String logGroup() {
    return text("AWS_LAMBDA_LOG_GROUP_NAME");
  }

  static String logStream() {
    return text("AWS_LAMBDA_LOG_STREAM_NAME");
  }

  static int memoryMiB() {
    return Integer.parseInt(or("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"));
  }

  static int concurrency() {
    return Integer.parseInt(or("AWS_LAMBDA_MAX_CONCURRENCY", ONE));
  }

  private static String text(String name) {
    return or(name, "");
  }

  private static String or(String name, String usual) {
    String value = System.getenv(name);
    return value == null ? usual : value;
  }
}
