package swiftlet.runtime;

import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.temporal.TemporalAccessor;
import java.util.Base64;
import java.util.Calendar;
import java.util.Date;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** A value as JSON: what JSON has as it is, beans and records by their properties. */
final class JsonWriter {
  private static final int MOST_DEPTH = 1000;
  private static final HexFormat HEX = HexFormat.of();
  private static final char FIRST_PRINTABLE = 0x20;

  private final StringBuilder out = new StringBuilder();
  private int depth;

  private JsonWriter() {}

  /** @throws IllegalArgumentException for what goes round in circles, or is too deep */
  static byte[] write(Object value) {
    return text(value).getBytes(StandardCharsets.UTF_8);
  }

  static String text(Object value) {
    JsonWriter writer = new JsonWriter();
    writer.value(value);
    return writer.out.toString();
  }

  private void value(Object value) {
    if (value == null || value instanceof Boolean) {
      out.append(value);
    } else if (value instanceof Number number) {
      number(number);
    } else if (value instanceof CharSequence || value instanceof Character) {
      string(value.toString());
    } else if (value instanceof Enum<?> constant) {
      string(constant.name());
    } else if (value instanceof Date date) {
      out.append(date.getTime());
    } else if (value instanceof Calendar calendar) {
      out.append(calendar.getTimeInMillis());
    } else if (value instanceof byte[] bytes) {
      string(Base64.getEncoder().encodeToString(bytes));
    } else if (value instanceof ByteBuffer bytes) {
      string(StandardCharsets.ISO_8859_1.decode(Base64.getEncoder().encode(bytes.duplicate())).toString());
    } else if (isText(value)) {
      string(value.toString());
    } else {
      composed(value);
    }
  }

  private void number(Number number) {
    boolean isFinite = !(number instanceof Double || number instanceof Float) || Double.isFinite(number.doubleValue());
    if (isFinite) {
      out.append(number);
    } else {
      string(number.toString());
    }
  }

  /** Whether its text says all: times, and what else of the JDK has no properties worth writing. */
  private static boolean isText(Object value) {
    String name = value.getClass().getName();
    boolean isOther = name.startsWith("java.net.") || name.startsWith("org.joda.time.") || name.startsWith("sun.nio.fs.");
    return value instanceof TemporalAccessor || value instanceof java.util.UUID || value instanceof java.time.temporal.TemporalAmount
        || value instanceof java.util.Locale || value instanceof java.io.File || isOther;
  }

  private void composed(Object value) {
    depth++;
    if (depth > MOST_DEPTH) {
      throw new IllegalArgumentException("what the handler returned goes round in circles, or has more than " + MOST_DEPTH + " levels: "
          + value.getClass().getName());
    }
    if (value instanceof Map<?, ?> map) {
      map(map);
    } else if (value instanceof Iterable<?> items) {
      list(items);
    } else if (value.getClass().isArray()) {
      array(value);
    } else if (value instanceof Optional<?> maybe) {
      value(maybe.orElse(null));
    } else if (value instanceof OptionalInt maybe) {
      value(maybe.isPresent() ? maybe.getAsInt() : null);
    } else if (value instanceof OptionalLong maybe) {
      value(maybe.isPresent() ? maybe.getAsLong() : null);
    } else if (value instanceof OptionalDouble maybe) {
      value(maybe.isPresent() ? maybe.getAsDouble() : null);
    } else {
      map(Bean.of(value.getClass()).read(value));
    }
    depth--;
  }

  private void map(Map<?, ?> map) {
    out.append('{');
    String between = "";
    for (Map.Entry<?, ?> member : map.entrySet()) {
      out.append(between);
      between = ",";
      string(member.getKey() instanceof Enum<?> constant ? constant.name() : String.valueOf(member.getKey()));
      out.append(':');
      value(member.getValue());
    }
    out.append('}');
  }

  private void list(Iterable<?> items) {
    out.append('[');
    String between = "";
    for (Object item : items) {
      out.append(between);
      between = ",";
      value(item);
    }
    out.append(']');
  }

  private void array(Object items) {
    out.append('[');
    for (int i = 0; i < Array.getLength(items); i++) {
      out.append(i == 0 ? "" : ",");
      value(Array.get(items, i));
    }
    out.append(']');
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char one = text.charAt(i);
      if (one == '"' || one == '\\') {
        out.append('\\').append(one);
      } else if (one == '\n') {
        out.append("\\n");
      } else if (one < FIRST_PRINTABLE || isAlone(text, i)) {
        out.append("\\u").append(HEX.toHexDigits(one));
      } else {
        out.append(one);
      }
    }
    out.append('"');
  }

  /** Half of a pair has no form of its own in UTF-8. */
  private static boolean isAlone(String text, int at) {
    char one = text.charAt(at);
    if (Character.isHighSurrogate(one)) {
      return at + 1 == text.length() || !Character.isLowSurrogate(text.charAt(at + 1));
    }
    return Character.isLowSurrogate(one) && (at == 0 || !Character.isHighSurrogate(text.charAt(at - 1)));
  }
}
