package swiftlet.runtime;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A class by its properties: getters and setters, fields, or a record's components. Names are looked up as they are, and else whatever their
 * case and whatever joins their words: events have {@code Records} and {@code detail-type} where classes have {@code records} and
 * {@code detailType}.
 */
final class Bean {
  private static final ClassValue<Bean> KNOWN = new ClassValue<>() {
    @Override
    protected Bean computeValue(Class<?> type) {
      return new Bean(type);
    }
  };

  /** How a property gets its value. */
  private interface Setter {
    void set(Object target, Object value) throws ReflectiveOperationException;
  }

  private record Property(Type type, Setter setter) {}

  /** How it is read. */
  private interface Getter {
    Object get(Object target) throws ReflectiveOperationException;
  }

  private final Class<?> type;
  private final Map<String, Property> written = new LinkedHashMap<>();
  private final Map<String, Property> loosely = new LinkedHashMap<>();
  private final Map<String, Getter> readers = new LinkedHashMap<>();

  static Bean of(Class<?> type) {
    return KNOWN.get(type);
  }

  private Bean(Class<?> type) {
    this.type = type;
    if (type.isRecord()) {
      for (RecordComponent one : type.getRecordComponents()) {
        one.getAccessor().setAccessible(true);
        readers.put(one.getName(), one.getAccessor()::invoke);
      }
      return;
    }
    Method[] methods = type.getMethods();
    Arrays.sort(methods, Comparator.comparing(Method::getName).thenComparing(Method::toString));
    for (Method method : methods) {
      learn(method);
    }
    for (Class<?> at = type; at != null && at != Object.class; at = at.getSuperclass()) {
      for (Field field : at.getDeclaredFields()) {
        learn(field);
      }
    }
    written.forEach((name, property) -> loosely.putIfAbsent(loose(name), property));
  }

  private void learn(Method method) {
    if (Modifier.isStatic(method.getModifiers()) || method.isBridge() || method.getDeclaringClass() == Object.class) {
      return;
    }
    String name = method.getName();
    if (name.startsWith("set") && method.getParameterCount() == 1 && name.length() > 3 && makeAccessible(method)) {
      written.putIfAbsent(lower(name.substring(3)), new Property(method.getGenericParameterTypes()[0], method::invoke));
    } else if (method.getParameterCount() == 0 && method.getReturnType() != void.class) {
      boolean isGet = name.startsWith("get") && name.length() > 3;
      boolean isIs = name.startsWith("is") && name.length() > 2 && method.getReturnType() == boolean.class;
      if ((isGet || isIs) && makeAccessible(method)) {
        readers.putIfAbsent(lower(name.substring(isGet ? 3 : 2)), method::invoke);
      }
    }
  }

  private void learn(Field field) {
    boolean isHidden = Modifier.isStatic(field.getModifiers()) || Modifier.isTransient(field.getModifiers()) || field.isSynthetic();
    if (isHidden || !makeAccessible(field)) {
      return;
    }
    if (Modifier.isPublic(field.getModifiers())) {
      readers.putIfAbsent(field.getName(), field::get);
    }
    if (!Modifier.isFinal(field.getModifiers())) {
      written.putIfAbsent(field.getName(), new Property(field.getGenericType(), field::set));
    }
  }

  /** Classes of the JDK keep theirs to themselves. */
  private static boolean makeAccessible(java.lang.reflect.AccessibleObject member) {
    return member.trySetAccessible();
  }

  Map<String, Object> read(Object target) {
    Map<String, Object> values = new LinkedHashMap<>();
    readers.forEach((name, getter) -> {
      try {
        values.put(name, getter.get(target));
      } catch (InvocationTargetException error) {
        throw new IllegalArgumentException("the property " + name + " of " + type.getName() + " cannot be read: " + error.getCause(),
            error.getCause());
      } catch (ReflectiveOperationException error) {
        throw new IllegalArgumentException(error);
      }
    });
    return values;
  }

  /** @throws IllegalArgumentException with what is missing */
  Object make(Map<?, ?> members) {
    try {
      return type.isRecord() ? makeRecord(members) : makeBean(members);
    } catch (InvocationTargetException error) {
      throw new IllegalArgumentException("the event cannot be a " + type.getName() + ": " + error.getCause(), error.getCause());
    } catch (NoSuchMethodException error) {
      throw new IllegalArgumentException(
          "the event cannot be a " + type.getName() + ", which has no constructor without parameters and is no record", error);
    } catch (ReflectiveOperationException error) {
      throw new IllegalArgumentException("the event cannot be a " + type.getName() + ": " + error, error);
    }
  }

  private Object makeBean(Map<?, ?> members) throws ReflectiveOperationException {
    Constructor<?> constructor = type.getDeclaredConstructor();
    constructor.setAccessible(true);
    Object made = constructor.newInstance();
    for (Map.Entry<?, ?> member : members.entrySet()) {
      String name = String.valueOf(member.getKey());
      Property property = written.containsKey(name) ? written.get(name) : loosely.get(loose(name));
      if (property != null) {
        property.setter().set(made, Binder.bind(member.getValue(), property.type()));
      }
    }
    return made;
  }

  private Object makeRecord(Map<?, ?> members) throws ReflectiveOperationException {
    RecordComponent[] components = type.getRecordComponents();
    Map<String, Object> loose = new LinkedHashMap<>();
    members.forEach((name, value) -> loose.putIfAbsent(loose(String.valueOf(name)), value));
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      String name = components[i].getName();
      Object value = members.containsKey(name) ? members.get(name) : loose.get(loose(name));
      values[i] = Binder.bind(value, components[i].getGenericType());
    }
    Class<?>[] types = Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    Constructor<?> constructor = type.getDeclaredConstructor(types);
    constructor.setAccessible(true);
    return constructor.newInstance(values);
  }

  private static String loose(String name) {
    return name.replaceAll("[-_ ]", "").toLowerCase(Locale.ROOT);
  }

  /** As Jackson names them: {@code getURL} is {@code url}. */
  private static String lower(String name) {
    int capitals = 0;
    while (capitals < name.length() && Character.isUpperCase(name.charAt(capitals))) {
      capitals++;
    }
    return name.substring(0, capitals).toLowerCase(Locale.ROOT) + name.substring(capitals);
  }
}
