package swiftlet.runtime;

/** A function's code, whatever its form. */
interface Handler {
  /** @return the answer's JSON @throws Throwable what the code throws */
  byte[] answer(Invocation invocation) throws Throwable;

  /** Does all of an invocation that is not the function's own code, so that what it needs is loaded. Nothing is told of what goes wrong. */
  default void rehearse() {}
}
