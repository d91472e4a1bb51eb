/** What the API answers about hosts. */
import { z } from 'zod';

export const hostCertificateSchema = z.object({
  name: z.string(),
  pem: z.string().describe('The key, its certificate, and the authority’s; for SWIFTLET_JOIN of the other host'),
  endsAt: z.iso.datetime().describe('By then the host must have joined'),
});
export type HostCertificate = z.output<typeof hostCertificateSchema>;
