/** How sandboxes get their way out, and keep it when the agent is another one. Where there is no network, nothing of it happens. */
import type { Logger } from 'pino';
import type { Version } from '../model/function.ts';
import { networkOf } from '../model/network-policy.ts';
import type { PrivateNetwork } from '../model/private-network.ts';
import { functionKey } from '../wire/published-state.ts';
import type { Network } from './network/network.ts';
import type { RelayLink } from './relay-link.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

export interface WayOut {
  /** Does ahead, for a warm sandbox, what its start would have to. @param like a version that wants the same; absent: as most do */
  readonly prepare: (sandbox: Sandbox, like?: Version) => void;
  /** Whether that was done for a version like this one. */
  readonly suits: (sandbox: Sandbox, version: Version) => boolean;
  /** Opens it for an instance, as far as its version's policy goes, until the sandbox ends. @throws SystemCallError; nothing is open then */
  readonly connect: (sandbox: Sandbox, version: Version, instanceId: string) => void;
  /** Whether a sandbox that an earlier agent booted has what sandboxes have now. */
  readonly isWhole: (sandbox: Sandbox) => boolean;
  /** Puts the policies of all that serve in force, and makes the tunnels to the private networks that they name. What could not be is not started. */
  readonly publish: (versions: readonly Version[], networks: readonly PrivateNetwork[]) => void;
}

export function wayOut(network: Network | undefined, relay: Pick<RelayLink, 'tell'>, log: Logger): WayOut {
  if (network === undefined) {
    return {
      prepare: () => undefined,
      suits: () => true,
      connect: () => undefined,
      isWhole: ({ line }) => line === undefined,
      publish: () => undefined,
    };
  }
  return {
    prepare: ({ line, ended }, like) => {
      if (line === undefined) return;
      try {
        network.open(line, like);
        void ended.then(() => network.unbind(line));
      } catch (error) {
        log.warn({ err: error, line }, 'a warm sandbox could not be opened ahead; its start does it');
      }
    },
    suits: ({ line }, version) => line === undefined || network.isOpenFor(line, version),
    connect: ({ line, ended }, version, instanceId) => {
      if (line === undefined) return;
      network.bind(line, {
        policy: networkOf(version),
        version,
        countedFor: functionKey(version.tenant, version.function),
        tell: (message) => relay.tell({ instanceId, version }, message),
      });
      void ended.then(() => network.unbind(line));
    },
    isWhole: ({ line }) => network.reaches(line),
    publish: (versions, networks) => {
      try {
        network.publish(versions, networks);
      } catch (error) {
        log.error({ err: error }, 'the network policies could not be put in force; versions that are new do not start');
      }
    },
  };
}
