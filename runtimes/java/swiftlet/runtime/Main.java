package swiftlet.runtime;

/** The process of a function in Java: it asks the Runtime API in its sandbox for events, and hands each to the function's handler. */
public final class Main {
  private static final int FAILED = 1;

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    // From the first connection on, what takes time is the function's own.
    RuntimeApi api = RuntimeApi.connect();
    Handler handler = load(api);
    for (int more = Settings.concurrency() - 1; more > 0; more--) {
      RuntimeApi another = RuntimeApi.connect();
      new Thread(() -> serve(another, handler), "handler-" + more).start();
    }
    serve(api, handler);
  }

  private static Handler load(RuntimeApi api) throws Exception {
    try {
      return HandlerFinder.find(Settings.handler());
    } catch (Throwable error) {
      Failure failure = Failure.of(error);
      api.failInit(failure.json(), failure.type());
      System.exit(FAILED);
      throw new IllegalStateException(error);
    }
  }

  private static void serve(RuntimeApi api, Handler handler) {
    try {
      while (true) {
        answer(api, api.next(), handler);
      }
    } catch (Throwable error) {
      error.printStackTrace();
      System.exit(FAILED);
    }
  }

  private static void answer(RuntimeApi api, Invocation invocation, Handler handler) throws Exception {
    byte[] answer;
    try {
      answer = handler.answer(invocation);
    } catch (Throwable error) {
      Failure failure = Failure.of(error);
      System.out.flush();
      api.fail(invocation.requestId(), failure.json(), failure.type());
      // Nobody knows what it left half done.
      if (error instanceof VirtualMachineError) {
        System.exit(FAILED);
      }
      return;
    }
    System.out.flush();
    api.respond(invocation.requestId(), answer);
  }
}
