// The handler's second argument: AWS Lambda's names, and `signal`.

class Context {
  #invocation;
  constructor(invocation) {
    const { settings } = invocation;
    this.#invocation = invocation;
    this.functionName = settings.function;
    this.functionVersion = String(settings.version);
    this.invokedFunctionArn = `arn:swiftlet:functions:local:default:function:${settings.function}`;
    this.memoryLimitInMB = String(settings.memoryMiB);
    this.awsRequestId = invocation.requestId;
    this.requestId = invocation.requestId;
    this.logGroupName = `/swiftlet/${settings.function}`;
    this.logStreamName = settings.instanceId;
    this.callbackWaitsForEmptyEventLoop = true;
  }

  /** Aborts when the caller has hung up. */
  get signal() {
    return this.#invocation.signal;
  }

  getRemainingTimeInMillis() {
    return Math.max(0, this.#invocation.head[2] - Date.now());
  }

  done(error, value) {
    if (error) this.#invocation.fail(error);
    else this.#invocation.finish(value);
  }

  succeed(value) {
    this.#invocation.finish(value);
  }

  fail(error) {
    this.#invocation.fail(error);
  }
}

export const createContext = (invocation) => new Context(invocation);
