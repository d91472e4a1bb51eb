package swiftlet.runtime;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What is told of something that was thrown: its type, its message, where, and why. */
record Failure(String type, byte[] json) {
  private static final String MISSING = "HandlerNotFound";
  private static final int MOST_CAUSES = 5;
  private static final int MOST_FRAMES = 100;
  /** What lies between this runtime and the function's code. */
  private static final List<String> BETWEEN = List.of("swiftlet.runtime.", "jdk.internal.reflect.", "java.lang.reflect.", "java.lang.Thread");

  static Failure of(Throwable error) {
    return new Failure(typeOf(error), JsonWriter.write(told(error, 0)));
  }

  private static Map<String, Object> told(Throwable error, int depth) {
    Map<String, Object> said = new LinkedHashMap<>();
    said.put("errorMessage", messageOf(error));
    said.put("errorType", typeOf(error));
    said.put("stackTrace", framesOf(error));
    if (error.getCause() != null && error.getCause() != error && depth < MOST_CAUSES) {
      said.put("cause", told(error.getCause(), depth + 1));
    }
    return said;
  }

  private static String typeOf(Throwable error) {
    return error instanceof HandlerMissing ? MISSING : error.getClass().getName();
  }

  /** The function's own class may have another idea of its message. */
  private static String messageOf(Throwable error) {
    try {
      return error.getMessage() == null ? "" : error.getMessage();
    } catch (RuntimeException its) {
      return "it has a message that cannot be read: " + its.getClass().getName();
    }
  }

  private static List<String> framesOf(Throwable error) {
    StackTraceElement[] frames = error.getStackTrace();
    int end = frames.length;
    while (end > 0 && isBetween(frames[end - 1])) {
      end--;
    }
    return Arrays.stream(frames).limit(Math.min(end, MOST_FRAMES)).map(StackTraceElement::toString).toList();
  }

  private static boolean isBetween(StackTraceElement frame) {
    return BETWEEN.stream().anyMatch(frame.getClassName()::startsWith);
  }
}
