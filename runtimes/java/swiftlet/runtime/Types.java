package swiftlet.runtime;

import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What type variables mean in a class that extends, or implements, what declares them. */
final class Types {
  private Types() {}

  /** @param type as declared somewhere above the class */
  static Type resolve(Type type, Class<?> in) {
    if (!(type instanceof TypeVariable<?>)) {
      return type;
    }
    Map<TypeVariable<?>, Type> meanings = new HashMap<>();
    List<Type> above = new ArrayList<>(List.of(in));
    for (int at = 0; at < above.size(); at++) {
      if (above.get(at) instanceof ParameterizedType known) {
        TypeVariable<?>[] names = raw(known).getTypeParameters();
        for (int i = 0; i < names.length; i++) {
          meanings.put(names[i], known.getActualTypeArguments()[i]);
        }
      }
      Class<?> next = raw(above.get(at));
      if (next.getGenericSuperclass() != null) {
        above.add(next.getGenericSuperclass());
      }
      above.addAll(List.of(next.getGenericInterfaces()));
    }
    Type found = type;
    while (found instanceof TypeVariable<?> name && meanings.containsKey(name)) {
      found = meanings.get(name);
    }
    return found;
  }

  static Class<?> raw(Type type) {
    if (type instanceof Class<?> known) {
      return known;
    }
    if (type instanceof ParameterizedType known) {
      return (Class<?>) known.getRawType();
    }
    if (type instanceof GenericArrayType array) {
      return raw(array.getGenericComponentType()).arrayType();
    }
    Type[] bounds = type instanceof WildcardType wild ? wild.getUpperBounds() : ((TypeVariable<?>) type).getBounds();
    return raw(bounds[0]);
  }

  /** What a generic type is of, as {@code List<String>} is of String; anything where it does not say. */
  static Type argument(Type type, int at) {
    return type instanceof ParameterizedType known && known.getActualTypeArguments().length > at
        ? known.getActualTypeArguments()[at]
        : Object.class;
  }
}
