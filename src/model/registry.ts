/** A registry of packages that builds install from. */
import { z } from 'zod';
import type { NetworkPolicy } from './network-policy.ts';

export const defaultRegistry = 'https://registry.npmjs.org/';
/** The index, and where it has its files. */
export const defaultPythonRegistries: readonly string[] = ['https://pypi.org/simple/', 'https://files.pythonhosted.org/'];

/** Without a user or a password: a build sees where it installs from, and so does whatever its packages run. */
export const registrySchema = z
  .url({ protocol: /^https?$/, error: 'it is an address such as https://registry.example.com/' })
  .transform((text, context) => {
    const url = URL.parse(text);
    if (url === null || /[?#]/.test(text) || url.username !== '' || url.password !== '') {
      context.addIssue({ code: 'custom', message: 'it has no user, no password, no query and no fragment' });
      return z.NEVER;
    }
    return url.href.replace(/\/*$/, '/');
  });

const usualPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** All that a build may reach. @param registries checked by their schema */
export const registryPolicy = (registries: readonly string[]): NetworkPolicy => ({
  allow: [...new Set(registries.map(targetOf))],
});

function targetOf(registry: string): string {
  const { protocol, hostname, port } = new URL(registry);
  return `${hostname}:${port === '' ? (usualPorts[protocol] ?? '') : port}`;
}
