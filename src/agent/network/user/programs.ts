/** Programs of Debian's that user-mode networking is made of, and what they are called with. */

/** Runs a command in a user namespace in which the user is who he is, and may do what root may with what belongs to it. */
export const unshareRights = ['/usr/bin/unshare', '--user', '--map-current-user', '--keep-caps'] as const;

/**
 * What pasta is called with, beside where it is to work: the host's way out and its addresses, no port of either side on the other, and
 * no address that would be the host's loopback.
 */
export const pastaOptions = [
  ...['--quiet', '--config-net', '--no-map-gw'],
  ...['--tcp-ports', 'none', '--udp-ports', 'none', '--tcp-ns', 'none', '--udp-ns', 'none'],
] as const;

export const pastaPath = '/usr/bin/pasta';
