package swiftlet.runtime;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * One connection to the Runtime API on this sandbox's loopback. The JDK's own client takes some 50 ms of a start, and the other side is ours.
 */
final class RuntimeApi {
  private static final String PREFIX = "/2018-06-01/runtime/";
  private static final int OK = 200;

  private final String address;
  private final InputStream in;
  private final OutputStream out;

  private RuntimeApi(String address, Socket socket) throws IOException {
    this.address = address;
    this.in = new BufferedInputStream(socket.getInputStream());
    this.out = socket.getOutputStream();
  }

  static RuntimeApi connect() throws IOException {
    String address = Settings.runtimeApi();
    int colon = address.lastIndexOf(':');
    Socket socket = new Socket(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
    socket.setTcpNoDelay(true);
    return new RuntimeApi(address, socket);
  }

  /** Waits as long as it takes, also while the sandbox is frozen. */
  Invocation next() throws IOException {
    Answer answer = ask("GET", "invocation/next", "", new byte[0]);
    if (answer.status != OK) {
      throw new IOException("asked for an event, the platform answered " + answer.status);
    }
    return new Invocation(answer.body, answer.headers);
  }

  /** What is refused, since it is too long, has been told to the caller as such. */
  void respond(String id, byte[] body) throws IOException {
    ask("POST", "invocation/" + id + "/response", "", body);
  }

  void fail(String id, byte[] failure, String type) throws IOException {
    ask("POST", "invocation/" + id + "/error", errorHeader(type), failure);
  }

  void failInit(byte[] failure, String type) throws IOException {
    ask("POST", "init/error", errorHeader(type), failure);
  }

  private static String errorHeader(String type) {
    return "Lambda-Runtime-Function-Error-Type: " + type.replaceAll("[^\\x21-\\x7e]", "?") + "\r\n";
  }

  private record Answer(int status, Map<String, String> headers, byte[] body) {}

  private Answer ask(String method, String path, String header, byte[] body) throws IOException {
    String head = method + " " + PREFIX + path + " HTTP/1.1\r\nHost: " + address + "\r\n" + header
        + (method.equals("GET") ? "\r\n" : "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\n\r\n");
    ByteArrayOutputStream whole = new ByteArrayOutputStream(head.length() + body.length);
    whole.writeBytes(head.getBytes(ISO_8859_1));
    whole.writeBytes(body);
    whole.writeTo(out);
    out.flush();
    String status = line();
    Map<String, String> headers = new HashMap<>();
    for (String line = line(); !line.isEmpty(); line = line()) {
      int colon = line.indexOf(':');
      headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
    }
    return new Answer(Integer.parseInt(status.substring(9, 12)), headers, body(headers));
  }

  private byte[] body(Map<String, String> headers) throws IOException {
    if (headers.containsKey("content-length")) {
      return exactly(Integer.parseInt(headers.get("content-length")));
    }
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    if ("chunked".equals(headers.get("transfer-encoding"))) {
      for (int size = Integer.parseInt(line(), 16); size > 0; size = Integer.parseInt(line(), 16)) {
        body.writeBytes(exactly(size));
        line();
      }
      line();
    }
    return body.toByteArray();
  }

  private byte[] exactly(int size) throws IOException {
    byte[] bytes = in.readNBytes(size);
    if (bytes.length < size) {
      throw new EOFException("the platform closed the connection");
    }
    return bytes;
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("the platform closed the connection");
      }
      line.write(next);
    }
    return line.toString(ISO_8859_1).stripTrailing();
  }
}
