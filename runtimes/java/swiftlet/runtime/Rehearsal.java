package swiftlet.runtime;

/**
 * Loads a function as its instances do, and ends: what the JVM has loaded by then goes into its archive. A class that fails to load here, for
 * want of a secret for instance, has loaded others by then.
 */
public final class Rehearsal {
  private Rehearsal() {}

  public static void main(String[] arguments) {
    try {
      Handler handler = HandlerFinder.find(arguments[0]);
      Failure.of(new IllegalStateException());
      handler.rehearse();
    } catch (Throwable error) {
      error.printStackTrace();
    }
    System.exit(0);
  }
}
