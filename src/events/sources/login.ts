/** Who Swiftlet is at a server: a user and a variable with the password, or one variable with both. */
import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import type { SourceMeans } from './source.ts';

export interface LoginSettings {
  readonly user?: string | undefined;
  readonly passwordVariable?: string | undefined;
  readonly loginVariable?: string | undefined;
}

export interface Login {
  readonly user: string;
  readonly password: string | undefined;
}

/** As AWS Secrets Manager keeps a broker's. */
const loginSchema = z.object({ username: z.string().min(1), password: z.string() });

/** @returns undefined: nobody @throws SwiftletError SourceInvalid for a variable that has no login */
export function loginOf({ user, passwordVariable, loginVariable }: LoginSettings, secret: SourceMeans['secret']): Login | undefined {
  if (loginVariable !== undefined) return parse(loginVariable, secret(loginVariable));
  return user === undefined ? undefined : { user, password: passwordVariable === undefined ? undefined : secret(passwordVariable) };
}

function parse(variable: string, text: string): Login {
  const login = loginSchema.safeParse(jsonOf(text));
  if (login.success) return { user: login.data.username, password: login.data.password };
  throw new SwiftletError(
    'SourceInvalid',
    `the variable ${variable} is to have a login, {"username": …, "password": …} as JSON, and has another text`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
