/** Control's side of src/wire/build-calls.ts. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { SwiftletError } from '../../model/errors.ts';
import { type BuildLine, buildLineSchema, type BuildOrder, buildRefusalSchema, maxBuildLineBytes } from '../../wire/build-calls.ts';
import { readLines } from '../../wire/lines.ts';

/** Who installs dependencies. */
export interface BuildAgent {
  /**
   * The lines of a build as they come; the last says how it ended. Leaving early ends the build, and so does the signal.
   * @throws SwiftletError as the agent refuses it, Unavailable when the agent is away or goes away meanwhile
   */
  lines(order: BuildOrder, signal: AbortSignal): AsyncGenerator<BuildLine, void>;
}

/** @param socketPath where the agent takes orders */
export const buildAgent = (socketPath: string): BuildAgent => ({
  async *lines(order, signal) {
    const asking = request({ socketPath, method: 'POST', signal });
    // Whoever waits for the answer, or reads it, learns of it there.
    asking.on('error', () => undefined);
    try {
      asking.end(JSON.stringify(order));
      const [answer] = (await once(asking, 'response', { signal })) as [IncomingMessage];
      if (answer.statusCode !== 200) throw await refusalOf(answer);
      for await (const line of readLines(answer, maxBuildLineBytes)) yield parsed(line);
      if (!answer.complete) throw new Error('the answer broke off');
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SwiftletError) throw error;
      throw new SwiftletError('Unavailable', 'the agent is away, or went away in the middle of the build; deploy again', { cause: error });
    } finally {
      asking.destroy();
    }
  },
});

function parsed(line: Buffer): BuildLine {
  try {
    return buildLineSchema.parse(JSON.parse(line.toString()));
  } catch (error) {
    throw new SwiftletError('BuildFailed', 'what came out of its sandbox is no build; look at what the install scripts do', {
      cause: error,
    });
  }
}

async function refusalOf(answer: IncomingMessage): Promise<SwiftletError> {
  const { code, message } = buildRefusalSchema.parse(JSON.parse(await text(answer)));
  return new SwiftletError(code, message);
}
