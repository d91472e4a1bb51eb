package swiftlet.runtime;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** What was read from JSON as a value of the type that somebody wants. */
final class Binder {
  private static final int MS_PER_SECOND = 1000;
  /** Above it a number is milliseconds, below seconds: both are used by events. */
  private static final double MOST_SECONDS = 1e11;
  private static final Map<Class<?>, Object> NOUGHT = Map.of(boolean.class, false, byte.class, (byte) 0, short.class, (short) 0, int.class, 0,
      long.class, 0L, float.class, 0f, double.class, 0d, char.class, '\0');

  private Binder() {}

  /** @throws IllegalArgumentException with what does not fit */
  static Object bind(Object value, Type type) {
    Class<?> raw = Types.raw(type);
    if (value == null) {
      return raw == Optional.class ? Optional.empty() : NOUGHT.get(raw);
    }
    if (raw == Optional.class) {
      return Optional.ofNullable(bind(value, Types.argument(type, 0)));
    }
    if (raw == String.class || raw == CharSequence.class) {
      return value instanceof Map || value instanceof List ? JsonWriter.text(value) : value.toString();
    }
    if (value instanceof Map<?, ?> members) {
      return ofObject(members, type, raw);
    }
    if (value instanceof List<?> items) {
      return ofList(items, type, raw);
    }
    return ofScalar(value, raw);
  }

  private static Object ofObject(Map<?, ?> members, Type type, Class<?> raw) {
    if (raw == Object.class) {
      return members;
    }
    if (!Map.class.isAssignableFrom(raw)) {
      return raw.isInterface() || raw.isPrimitive() || raw.isArray() ? unfit(members, raw) : Bean.of(raw).make(members);
    }
    Map<Object, Object> map = emptyMap(raw);
    Type keys = Types.argument(type, 0);
    Type values = Types.argument(type, 1);
    members.forEach((name, value) -> map.put(bind(name, keys), bind(value, values)));
    return map;
  }

  private static Object ofList(List<?> items, Type type, Class<?> raw) {
    if (raw == Object.class) {
      return items;
    }
    if (raw.isArray()) {
      Object array = Array.newInstance(raw.getComponentType(), items.size());
      for (int i = 0; i < items.size(); i++) {
        Array.set(array, i, bind(items.get(i), raw.getComponentType()));
      }
      return array;
    }
    Collection<Object> made = emptyCollection(raw);
    Type of = Types.argument(type, 0);
    items.forEach(item -> made.add(bind(item, of)));
    return made;
  }

  @SuppressWarnings("unchecked")
  private static Map<Object, Object> emptyMap(Class<?> raw) {
    if (raw.isAssignableFrom(LinkedHashMap.class)) {
      return new LinkedHashMap<>();
    }
    if (raw == HashMap.class) {
      return new HashMap<>();
    }
    return SortedMap.class.isAssignableFrom(raw) && raw.isInterface() ? new TreeMap<>() : (Map<Object, Object>) Bean.of(raw).make(Map.of());
  }

  @SuppressWarnings("unchecked")
  private static Collection<Object> emptyCollection(Class<?> raw) {
    if (raw.isAssignableFrom(ArrayList.class)) {
      return new ArrayList<>();
    }
    if (raw == Set.class || raw == LinkedHashSet.class) {
      return new LinkedHashSet<>();
    }
    if (raw == HashSet.class) {
      return new HashSet<>();
    }
    if (Queue.class.isAssignableFrom(raw) && raw.isInterface()) {
      return new java.util.ArrayDeque<>();
    }
    if (SortedSet.class.isAssignableFrom(raw) && raw.isInterface()) {
      return new TreeSet<>();
    }
    if (!Collection.class.isAssignableFrom(raw)) {
      return (Collection<Object>) unfit(List.of(), raw);
    }
    return (Collection<Object>) Bean.of(raw).make(Map.of());
  }

  private static Object ofScalar(Object value, Class<?> raw) {
    if (raw.isInstance(value)) {
      return value;
    }
    if (value instanceof Boolean && raw == boolean.class) {
      return value;
    }
    if (raw.isPrimitive() || Number.class.isAssignableFrom(raw) || raw == Boolean.class || raw == Character.class) {
      return ofPrimitive(value, raw);
    }
    if (raw == Date.class) {
      return value instanceof Number number ? new Date(ms(number)) : Date.from(Instant.parse(value.toString()));
    }
    if (raw == Instant.class && value instanceof Number number) {
      return Instant.ofEpochMilli(ms(number));
    }
    if (raw.getName().equals("org.joda.time.DateTime")) {
      return made(value instanceof Number number ? (Object) ms(number) : value, raw, Object.class);
    }
    return value instanceof String text ? ofText(text, raw) : unfit(value, raw);
  }

  private static Object ofText(String text, Class<?> raw) {
    if (raw.isEnum()) {
      for (Object constant : raw.getEnumConstants()) {
        if (((Enum<?>) constant).name().equalsIgnoreCase(text)) {
          return constant;
        }
      }
      return unfit(text, raw);
    }
    if (raw == byte[].class) {
      return Base64.getDecoder().decode(text);
    }
    if (ByteBuffer.class.isAssignableFrom(raw)) {
      return ByteBuffer.wrap(Base64.getDecoder().decode(text));
    }
    if (raw == InputStream.class) {
      return new ByteArrayInputStream(JsonWriter.write(text));
    }
    return byItsOwnWords(text, raw);
  }

  /** As the class itself makes one of a text. */
  private static Object byItsOwnWords(String text, Class<?> raw) {
    for (String name : List.of("parse", "fromString", "valueOf", "of", "create")) {
      for (Class<?> parameter : List.of(CharSequence.class, String.class)) {
        try {
          Method method = raw.getMethod(name, parameter);
          if (Modifier.isStatic(method.getModifiers()) && raw.isAssignableFrom(method.getReturnType())) {
            return method.invoke(null, text);
          }
        } catch (NoSuchMethodException error) {
          continue;
        } catch (InvocationTargetException error) {
          throw new IllegalArgumentException("\"" + text + "\" cannot be a " + raw.getName() + ": " + error.getCause(), error.getCause());
        } catch (ReflectiveOperationException error) {
          throw new IllegalArgumentException(error);
        }
      }
    }
    return made(text, raw, String.class);
  }

  private static Object made(Object value, Class<?> raw, Class<?> parameter) {
    try {
      Constructor<?> constructor = raw.getConstructor(parameter);
      return constructor.newInstance(value);
    } catch (NoSuchMethodException | InstantiationException error) {
      return unfit(value, raw);
    } catch (ReflectiveOperationException error) {
      throw new IllegalArgumentException("\"" + value + "\" cannot be a " + raw.getName() + ": " + error.getCause(), error);
    }
  }

  private static Object ofPrimitive(Object value, Class<?> raw) {
    if (value instanceof Boolean flag) {
      return raw == Boolean.class ? flag : unfit(value, raw);
    }
    String text = value.toString();
    if (raw == boolean.class || raw == Boolean.class) {
      return "true".equals(text) || "false".equals(text) ? (Object) Boolean.valueOf(text) : unfit(value, raw);
    }
    if (raw == char.class || raw == Character.class) {
      return text.length() == 1 ? (Object) text.charAt(0) : unfit(value, raw);
    }
    try {
      return ofNumber(new BigDecimal(text.trim()), raw);
    } catch (ArithmeticException | NumberFormatException error) {
      return unfit(value, raw);
    }
  }

  private static Object ofNumber(BigDecimal number, Class<?> raw) {
    return switch (raw.getSimpleName()) {
      case "int", "Integer" -> number.toBigInteger().intValueExact();
      case "long", "Long" -> number.toBigInteger().longValueExact();
      case "double", "Double" -> number.doubleValue();
      case "float", "Float" -> number.floatValue();
      case "short", "Short" -> number.toBigInteger().shortValueExact();
      case "byte", "Byte" -> number.toBigInteger().byteValueExact();
      case "BigDecimal", "Number" -> number;
      case "BigInteger" -> number.toBigInteger();
      default -> unfit(number, raw);
    };
  }

  private static long ms(Number number) {
    double value = number.doubleValue();
    return (long) (Math.abs(value) < MOST_SECONDS ? value * MS_PER_SECOND : value);
  }

  private static Object unfit(Object value, Class<?> raw) {
    String what = value instanceof Map ? "an object" : value instanceof List ? "a list" : JsonWriter.text(value);
    throw new IllegalArgumentException("the event has " + what + " where the handler wants a " + raw.getName());
  }
}
