/** Where no function's connection may lead to unless the operator allows it: nothing in these ranges is on the internet. */

export const closed4: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // Link-local, and with it the metadata services of clouds.
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  // For measuring machines; sandboxes have addresses in it.
  '198.18.0.0/15',
  // Multicast and what is reserved, with the broadcast address.
  '224.0.0.0/3',
];

export const closed6: readonly string[] = [
  // The unspecified address, the loopback, IPv4 in the clothes of IPv6 (mapped, compatible), and all else below.
  '::/16',
  // IPv4 behind a translator (NAT64): as closed as the IPv4 within; the second is a site’s own.
  ...['00', '0a', '7f'].map((first) => `64:ff9b::${first}00:0/104`),
  '64:ff9b::6440:0/106',
  '64:ff9b::a9fe:0/112',
  '64:ff9b::ac10:0/108',
  '64:ff9b::c000:0/120',
  '64:ff9b::c0a8:0/112',
  '64:ff9b::c612:0/111',
  '64:ff9b::e000:0/99',
  '64:ff9b:1::/48',
  // Tunnels that carry IPv4 (Teredo, 6to4).
  '2001::/32',
  '2002::/16',
  // Unique local, with it fd00:ec2::254; link-local and site-local; multicast.
  'fc00::/7',
  'fe80::/9',
  'ff00::/8',
];
