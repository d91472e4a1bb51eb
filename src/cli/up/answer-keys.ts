import type { ChildProcess } from 'node:child_process';
import { SwiftletError } from '../../model/errors.ts';
import { type KeyAnswer, keyQuestionSchema } from '../../role/ask-root-keys.ts';
import { ringMessage, type RootKeys } from '../../role/root-keys.ts';

/** Answers a role that asks for the root keys; other messages are others' to read. */
export async function answerKeys(rootKeys: RootKeys, message: unknown, child: Pick<ChildProcess, 'connected' | 'send'>): Promise<void> {
  const question = keyQuestionSchema.safeParse(message);
  if (!question.success) return;
  const { id, wanted } = question.data;
  const answer = await answerTo(rootKeys, wanted).catch((error: unknown) => failed(error));
  if (child.connected) child.send({ order: 'root keys', id, ...answer } satisfies KeyAnswer, () => undefined);
}

async function answerTo(rootKeys: RootKeys, wanted: 'read' | 'add' | 'drop old'): Promise<Pick<KeyAnswer, 'ring'>> {
  if (wanted === 'drop old') {
    await rootKeys.dropOld();
    return {};
  }
  return { ring: ringMessage(await rootKeys[wanted]()) };
}

function failed(error: unknown): Pick<KeyAnswer, 'failure'> {
  const code = error instanceof SwiftletError ? error.code : 'Unavailable';
  return { failure: { code, message: error instanceof Error ? error.message : String(error) } };
}
