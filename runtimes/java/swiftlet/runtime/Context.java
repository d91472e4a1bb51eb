package swiftlet.runtime;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * An invocation's context as any interface that asks for it: AWS Lambda's, from the function's own jars, or one of the function's with methods
 * of the same names. What it has no answer for is null, or nought.
 */
final class Context implements InvocationHandler {
  private final Map<String, Object> values;

  private Context(Map<String, Object> values) {
    this.values = values;
  }

  static Object of(Class<?> type, Invocation invocation) {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("AwsRequestId", invocation.requestId());
    values.put("LogGroupName", Settings.logGroup());
    values.put("LogStreamName", Settings.logStream());
    values.put("FunctionName", Settings.functionName());
    values.put("FunctionVersion", Settings.functionVersion());
    values.put("InvokedFunctionArn", invocation.functionArn());
    values.put("MemoryLimitInMB", Settings.memoryMiB());
    values.put("TraceId", invocation.traceId());
    values.put("XrayTraceId", invocation.traceId());
    values.put("Identity", Map.of("IdentityId", "", "IdentityPoolId", ""));
    values.put("Logger", Map.of());
    values.put("RemainingTimeInMillis", new Remaining(invocation));
    if (!invocation.clientContext().isEmpty()) {
      values.put("ClientContext", clientContext(invocation.clientContext()));
    }
    return proxy(type, values);
  }

  private record Remaining(Invocation invocation) {}

  private static Object proxy(Class<?> type, Map<String, Object> values) {
    return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, new Context(values));
  }

  private static Map<String, Object> clientContext(String json) {
    Map<String, Object> said = new LinkedHashMap<>();
    if (JsonReader.read(json.getBytes(StandardCharsets.UTF_8)) instanceof Map<?, ?> found) {
      said.put("Custom", found.get("custom"));
      said.put("Environment", found.containsKey("env") ? found.get("env") : found.get("environment"));
      Map<String, Object> client = new LinkedHashMap<>();
      if (found.get("client") instanceof Map<?, ?> parts) {
        parts.forEach((name, value) -> client.put(capital(underscoreFree(String.valueOf(name))), value));
      }
      said.put("Client", client);
    }
    return said;
  }

  @Override
  public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
    String name = method.getName();
    Class<?> wanted = method.getReturnType();
    if (method.getDeclaringClass() == Object.class) {
      return ofObject(self, name, arguments);
    }
    if (name.equals("log") && arguments != null) {
      log(arguments);
      return null;
    }
    Object value = values.get(capital(name.startsWith("get") ? name.substring("get".length()) : name));
    if (value instanceof Remaining left) {
      return Binder.bind(left.invocation().remainingMs(), wanted);
    }
    if (value == null && method.isDefault()) {
      return InvocationHandler.invokeDefault(self, method, arguments);
    }
    if (value instanceof Map<?, ?> parts && wanted.isInterface() && wanted != Map.class) {
      return proxy(wanted, named(parts));
    }
    return Binder.bind(value instanceof Map<?, ?> parts && wanted != Map.class ? bean(parts) : value, method.getGenericReturnType());
  }

  private static Object ofObject(Object self, String name, Object[] arguments) {
    return switch (name) {
      case "equals" -> self == arguments[0];
      case "hashCode" -> System.identityHashCode(self);
      default -> "the context of an invocation";
    };
  }

  /** Text or bytes, and maybe a level. */
  private static void log(Object[] arguments) {
    boolean isError = arguments.length > 1 && ("ERROR".equals(String.valueOf(arguments[1])) || "FATAL".equals(String.valueOf(arguments[1])));
    String text = arguments[0] instanceof byte[] bytes ? new String(bytes, StandardCharsets.UTF_8) : String.valueOf(arguments[0]);
    (isError ? System.err : System.out).println(text.stripTrailing());
  }

  private static Map<String, Object> named(Map<?, ?> parts) {
    Map<String, Object> named = new LinkedHashMap<>();
    parts.forEach((name, value) -> named.put(capital(String.valueOf(name)), value));
    return named;
  }

  private static Object bean(Map<?, ?> parts) {
    return parts.isEmpty() ? null : parts;
  }

  private static String underscoreFree(String name) {
    StringBuilder joined = new StringBuilder();
    for (String part : name.split("_")) {
      joined.append(joined.isEmpty() ? part : capital(part));
    }
    return joined.toString();
  }

  private static String capital(String name) {
    return Objects.requireNonNull(name).isEmpty() ? name : Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }
}
