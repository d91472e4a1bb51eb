package swiftlet.runtime;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** A method that reads the event's bytes and writes the answer's. */
final class StreamHandler implements Handler {
  private final Object target;
  private final Method method;

  /** @throws HandlerMissing when it cannot be called so */
  StreamHandler(Object target, Method method) throws HandlerMissing {
    Class<?>[] parameters = method.getParameterTypes();
    if (parameters.length > 3 || (parameters.length == 3 && !parameters[2].isInterface())) {
      throw new HandlerMissing("the method " + method + " cannot be called: after the streams it may take a context, which is an interface");
    }
    this.target = target;
    this.method = method;
  }

  @Override
  public byte[] answer(Invocation invocation) throws Throwable {
    ByteArrayInputStream event = new ByteArrayInputStream(invocation.event());
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try {
      if (method.getParameterCount() == 2) {
        method.invoke(target, event, answer);
      } else {
        method.invoke(target, event, answer, Context.of(method.getParameterTypes()[2], invocation));
      }
    } catch (InvocationTargetException error) {
      throw error.getCause();
    }
    return answer.size() == 0 ? JsonWriter.write(null) : answer.toByteArray();
  }
}
