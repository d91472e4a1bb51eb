package swiftlet.runtime;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** A method of an event, and maybe a context, that returns the answer. */
final class EventHandler implements Handler {
  private static final String AWS_CONTEXT = "com.amazonaws.services.lambda.runtime.Context";

  private final Object target;
  private final Method method;
  /** Null: it takes no event. */
  private final Type eventType;
  /** Null: it takes no context. */
  private final Class<?> contextType;

  /** @throws HandlerMissing when it cannot be called so */
  EventHandler(Object target, Method method, Class<?> type) throws HandlerMissing {
    this.target = target;
    this.method = method;
    Class<?>[] parameters = method.getParameterTypes();
    int last = parameters.length - 1;
    boolean hasContext = last == 1 || (last == 0 && parameters[0].getName().equals(AWS_CONTEXT));
    if (last > 1 || (hasContext && !parameters[last].isInterface())) {
      throw new HandlerMissing("the method " + method + " cannot be called: it may take an event, and a context, which is an interface");
    }
    this.contextType = hasContext ? parameters[last] : null;
    boolean hasEvent = last == 1 || (last == 0 && !hasContext);
    this.eventType = hasEvent ? Types.resolve(method.getGenericParameterTypes()[0], type) : null;
  }

  @Override
  public byte[] answer(Invocation invocation) throws Throwable {
    return JsonWriter.write(settled(call(event(invocation.event()), invocation)));
  }

  @Override
  public void rehearse() {
    Object event = event(new byte[] {'{', '"', 'a', '"', ':', '1', '}'});
    JsonWriter.write(event instanceof InputStream ? null : event);
  }

  private Object event(byte[] json) {
    if (eventType == null) {
      return null;
    }
    return eventType == InputStream.class ? new ByteArrayInputStream(json) : Binder.bind(JsonReader.read(json), eventType);
  }

  private Object call(Object event, Invocation invocation) throws Throwable {
    Object context = contextType == null ? null : Context.of(contextType, invocation);
    try {
      if (eventType == null) {
        return contextType == null ? method.invoke(target) : method.invoke(target, context);
      }
      return contextType == null ? method.invoke(target, event) : method.invoke(target, event, context);
    } catch (InvocationTargetException error) {
      throw error.getCause();
    }
  }

  private static Object settled(Object returned) throws Throwable {
    if (!(returned instanceof CompletionStage<?> stage)) {
      return returned;
    }
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException error) {
      throw error.getCause() == null ? error : error.getCause();
    }
  }
}
