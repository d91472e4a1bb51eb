/** What other hosts ask of control: their roles' certificates, and code. */
import { z } from 'zod';
import { certifiedRoles } from './secure/role-certificate.ts';

/** Long enough for keys of any kind, short enough to be nothing else. */
const maxRequestLength = 16 * 1024;

export const askCertificateSchema = z.object({
  role: z.enum(certifiedRoles).exclude(['control']),
  /** PKCS #10, PEM. */
  request: z.string().max(maxRequestLength),
});
export type AskCertificate = z.output<typeof askCertificateSchema>;

export const certificateAnswerSchema = z.object({ certificate: z.string(), authority: z.string() });
export type CertificateAnswer = z.output<typeof certificateAnswerSchema>;

/** What is sent of an artifact at once. */
export const artifactPieceBytes = 4 * 1024 * 1024;

export const askArtifactSchema = z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/), fromByte: z.int().min(0) });
export type AskArtifact = z.output<typeof askArtifactSchema>;

/** A piece that is shorter than `artifactPieceBytes` is the last one. */
export const artifactPieceSchema = z.object({ base64: z.string() });
export type ArtifactPiece = z.output<typeof artifactPieceSchema>;
