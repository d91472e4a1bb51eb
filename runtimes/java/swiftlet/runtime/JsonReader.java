package swiftlet.runtime;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON as maps, lists, text, numbers, booleans and null. */
final class JsonReader {
  private static final int MOST_DEPTH = 1000;

  private final String text;
  private int at;
  private int depth;

  private JsonReader(String text) {
    this.text = text;
  }

  /** @throws IllegalArgumentException with the place */
  static Object read(byte[] json) {
    JsonReader reader = new JsonReader(new String(json, StandardCharsets.UTF_8));
    Object value = reader.value();
    reader.skip();
    if (reader.at < reader.text.length()) {
      throw reader.wrong("more after its end");
    }
    return value;
  }

  private Object value() {
    skip();
    return switch (peek()) {
      case '{' -> object();
      case '[' -> list();
      case '"' -> string();
      case 't' -> word("true", true);
      case 'f' -> word("false", false);
      case 'n' -> word("null", null);
      default -> number();
    };
  }

  private Map<String, Object> object() {
    Map<String, Object> members = new LinkedHashMap<>();
    enter();
    while (!endsWith('}', members.isEmpty())) {
      skip();
      String name = string();
      skip();
      expect(':');
      members.put(name, value());
    }
    return members;
  }

  private List<Object> list() {
    List<Object> items = new ArrayList<>();
    enter();
    while (!endsWith(']', items.isEmpty())) {
      items.add(value());
    }
    return items;
  }

  private void enter() {
    at++;
    depth++;
    if (depth > MOST_DEPTH) {
      throw wrong("more than " + MOST_DEPTH + " levels");
    }
  }

  /** Whether it ends here; else what is between two of its parts is passed. */
  private boolean endsWith(char end, boolean isFirst) {
    skip();
    if (peek() == end) {
      at++;
      depth--;
      return true;
    }
    if (!isFirst) {
      expect(',');
    }
    return false;
  }

  private String string() {
    expect('"');
    int end = at;
    while (end < text.length() && text.charAt(end) != '"' && text.charAt(end) != '\\') {
      end++;
    }
    if (end < text.length() && text.charAt(end) == '"') {
      String plain = text.substring(at, end);
      at = end + 1;
      return plain;
    }
    return escaped();
  }

  private String escaped() {
    StringBuilder said = new StringBuilder();
    for (char next = take(); next != '"'; next = take()) {
      said.append(next == '\\' ? escape(take()) : next);
    }
    return said.toString();
  }

  private char escape(char kind) {
    return switch (kind) {
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case '"', '\\', '/' -> kind;
      case 'u' -> {
        at += 4;
        if (at > text.length()) {
          throw wrong("half an escape");
        }
        yield (char) Integer.parseInt(text, at - 4, at, 16);
      }
      default -> throw wrong("an escape that there is not");
    };
  }

  private Object word(String word, Object value) {
    if (!text.startsWith(word, at)) {
      throw wrong("a word that there is not");
    }
    at += word.length();
    return value;
  }

  private Number number() {
    int start = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    String digits = text.substring(start, at);
    try {
      if (digits.chars().anyMatch(one -> one == '.' || one == 'e' || one == 'E')) {
        return Double.valueOf(digits);
      }
      BigInteger whole = new BigInteger(digits);
      if (whole.bitLength() < Integer.SIZE) {
        return whole.intValue();
      }
      return whole.bitLength() < Long.SIZE ? (Number) whole.longValue() : whole;
    } catch (NumberFormatException error) {
      throw wrong("something that is no value");
    }
  }

  private void skip() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private char peek() {
    if (at >= text.length()) {
      throw wrong("its end too soon");
    }
    return text.charAt(at);
  }

  private char take() {
    char next = peek();
    at++;
    return next;
  }

  private void expect(char wanted) {
    if (take() != wanted) {
      at--;
      throw wrong("something else than " + wanted);
    }
  }

  private IllegalArgumentException wrong(String what) {
    return new IllegalArgumentException("the event is no JSON: " + what + " at character " + at);
  }
}
