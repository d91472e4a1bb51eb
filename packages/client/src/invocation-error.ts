/** What an invocation failed with. `code` is one of the platform's, which are never renamed: docs/errors.md. */
export class InvocationError extends Error {
  override readonly name = 'InvocationError';
  readonly code: string;
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Finds it in the platform's logs; empty when there was no answer. */
  readonly requestId: string;

  constructor(message: string, { code, status, requestId }: { code: string; status: number; requestId: string }, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
    this.requestId = requestId;
  }
}

/** Reads what an answer without success says. */
export async function errorOf(response: Response): Promise<InvocationError> {
  const requestId = response.headers.get('x-swiftlet-request-id') ?? '';
  const code = response.headers.get('x-swiftlet-error') ?? 'Unknown';
  const text = await response.text().catch(() => '');
  return new InvocationError(detailOf(text) ?? `the answer has status ${response.status}`, { code, status: response.status, requestId });
}

function detailOf(text: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem !== null && 'detail' in problem && typeof problem.detail === 'string') return problem.detail;
  } catch {
    // It is no problem of the platform's.
  }
  return undefined;
}
