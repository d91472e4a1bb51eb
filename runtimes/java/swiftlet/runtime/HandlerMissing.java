package swiftlet.runtime;

/** The handler's name leads to nothing that could be called. */
final class HandlerMissing extends Exception {
  private static final long serialVersionUID = 1L;

  HandlerMissing(String message) {
    super(message, null, false, false);
  }
}
