/** What the settings of all kinds of sources have in common. */
import { z } from 'zod';
import { maxAddressLength } from '../limits.ts';

/**
 * The variable of the function's environment that has a secret, so that the secret is shown nowhere. Settings whose names end with
 * "Variable" name such variables: sources and queue destinations are refused when there is none of that name.
 */
export const variableSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'it is the name of a variable in "secrets" or "environment"');

/** Of kinds whose logins AWS keeps in Secrets Manager. */
export const loginVariableSchema = variableSchema
  .optional()
  .describe(
    'The variable in "secrets" or "environment" that has both as JSON: {"username": …, "password": …}; instead of user and password',
  );

/** A server's URL without user and password, which would be shown with it. @param protocol with its colon */
export const addressSchema = (protocol: RegExp, rule: string) =>
  z
    .string(rule)
    .max(maxAddressLength)
    .refine((text) => {
      const url = URL.parse(text);
      return url !== null && protocol.test(url.protocol) && url.hostname !== '';
    }, rule)
    .refine((text) => {
      const url = URL.parse(text);
      return url === null || (url.username === '' && url.password === '');
    }, 'an address has no user and no password in it: they have settings of their own');
