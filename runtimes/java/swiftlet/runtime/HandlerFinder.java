package swiftlet.runtime;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** Finds what a handler's name means: {@code package.Class::method}, or a class alone, whose usual method is meant. */
final class HandlerFinder {
  private static final String SEPARATOR = "::";
  /** The first is that of AWS Lambda's interfaces. */
  private static final List<String> USUAL = List.of("handleRequest", "handler", "handle");
  private static final int SHOWN = 8;

  private HandlerFinder() {}

  /** @throws HandlerMissing with what there is @throws Throwable what the class throws while it is loaded and made */
  static Handler find(String name) throws Throwable {
    int at = name.indexOf(SEPARATOR);
    Class<?> type = load(at < 0 ? name : name.substring(0, at));
    Method method = at < 0 ? usual(type) : best(type, name.substring(at + SEPARATOR.length()));
    if (method == null) {
      throw new HandlerMissing("the class " + type.getName() + " has no public method "
          + (at < 0 ? String.join(", ", USUAL) : name.substring(at + SEPARATOR.length())) + "; it has " + methodsOf(type));
    }
    Object target = Modifier.isStatic(method.getModifiers()) ? null : instance(type);
    method.setAccessible(true);
    Class<?>[] parameters = method.getParameterTypes();
    boolean isStream = parameters.length >= 2 && parameters[0] == InputStream.class && parameters[1] == OutputStream.class;
    return isStream ? new StreamHandler(target, method) : new EventHandler(target, method, type);
  }

  private static Class<?> load(String name) throws Throwable {
    try {
      return Class.forName(name, true, ClassLoader.getSystemClassLoader());
    } catch (ClassNotFoundException error) {
      if (!error.getMessage().equals(name)) {
        throw error;
      }
      throw new HandlerMissing("there is no class " + name + "; a handler is \"package.Class\" or \"package.Class::method\","
          + " and its class lies in the bundle, in a jar at its top or in lib/, or in a layer's java/lib/");
    } catch (ExceptionInInitializerError error) {
      throw error.getCause() == null ? error : error.getCause();
    }
  }

  private static Object instance(Class<?> type) throws Throwable {
    try {
      Constructor<?> constructor = type.getDeclaredConstructor();
      constructor.setAccessible(true);
      return constructor.newInstance();
    } catch (NoSuchMethodException error) {
      throw new HandlerMissing("the class " + type.getName() + " has no constructor without parameters");
    } catch (InstantiationException error) {
      throw new HandlerMissing("the class " + type.getName() + " is abstract");
    } catch (InvocationTargetException error) {
      throw error.getCause();
    }
  }

  private static Method usual(Class<?> type) {
    return USUAL.stream().map(name -> best(type, name)).filter(found -> found != null).findFirst().orElse(null);
  }

  /** Of several that with the most parameters, as on AWS Lambda. What the compiler made for generics has no types of its own. */
  private static Method best(Class<?> type, String name) {
    return Arrays.stream(type.getMethods())
        .filter(method -> method.getName().equals(name) && !method.isBridge() && !method.isSynthetic())
        .max(Comparator.comparingInt(Method::getParameterCount))
        .orElse(null);
  }

  private static String methodsOf(Class<?> type) {
    String found = Arrays.stream(type.getMethods())
        .filter(method -> method.getDeclaringClass() != Object.class)
        .map(Method::getName)
        .distinct()
        .limit(SHOWN)
        .collect(Collectors.joining(", "));
    return found.isEmpty() ? "none" : found;
  }
}
