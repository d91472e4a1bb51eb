import { z } from 'zod';
import { isolationInForce } from '../../model/isolation.ts';
import { rootKeySources } from '../../role/root-keys.ts';
import { isolationSchema } from '../../wire/agent-calls.ts';
import { certifiedRoles } from '../../wire/secure/role-certificate.ts';
import { egressEnforcements, egressOf, endingCertificates, expiringTokens, openFunctions } from '../security-health.ts';
import type { Api, ApiMeans } from './api.ts';
import { verificationSchema } from './audit.ts';
import { needs } from './authorise.ts';
import { problems } from './schemas.ts';

const securitySchema = z.object({
  isolation: isolationSchema.optional().describe('What keeps functions apart; absent while the agent is away'),
  agents: z
    .object({ ready: z.boolean(), detail: z.string() })
    .optional()
    .describe('Whether all agents serve, and which one does not; absent where there is one'),
  egress: z
    .object({
      enforcement: z
        .enum(egressEnforcements)
        .describe(
          'By each function’s policy; all closed; nobody, so that functions reach what the machine does; unknown while the agent is away',
        ),
      detail: z.string(),
      opened: z.array(z.string()).describe('Ranges that the operator opened to all functions although they are closed'),
      functions: z
        .object({ none: z.int(), internet: z.int(), lists: z.int() })
        .describe('How many functions’ policies are none, internet, and lists of their own'),
    })
    .describe('What functions reach of the network'),
  openFunctions: z
    .object({
      count: z.int(),
      first: z.array(z.object({ tenant: z.string(), function: z.string() })).describe('A hundred at most'),
    })
    .describe('Those that anyone may call at their address'),
  tokens: z.object({
    count: z.int(),
    expiring: z
      .array(z.object({ id: z.string(), tenant: z.string(), expiresAt: z.iso.datetime(), expired: z.boolean() }))
      .describe('Those that end within two weeks, or have ended; the next first, a hundred at most'),
    endless: z.int().describe('Those without an end'),
  }),
  rootKey: z.object({
    source: z.enum(rootKeySources),
    id: z.string(),
    older: z.array(z.string()).describe('Older keys that its source still has; nothing needs them any more'),
  }),
  certificates: z
    .array(
      z.object({
        role: z.enum(certifiedRoles),
        host: z.string().describe('As the certificate names it'),
        endsAt: z.iso.datetime(),
        overdue: z.boolean().describe('Whether nine tenths of its life are over: it should have been renewed'),
      }),
    )
    .describe('By which roles on two hosts know each other, the next to end first; empty on one host'),
  audit: z.object({ verified: verificationSchema.optional().describe('The last verification; absent while the first one runs') }),
});

/** What guards the platform, as it is now. */
export function security(api: Api, { config, roles, publisher, secrets, audit, hosts, now }: ApiMeans): void {
  api.get('/v1/security', {
    config: needs('oversee', 'platform'),
    schema: {
      summary: 'Which guards are in force',
      description:
        'Isolation, egress, functions that are open to all, tokens that are about to end, the root key, certificates between hosts, the audit records.',
      response: { 200: securitySchema, ...problems },
    },
    handler: async () => {
      const report = await roles.isolation().catch(() => undefined);
      const chosen = config.agent.isolation;
      const isolation =
        report === undefined ? undefined : { mode: chosen === 'process' ? chosen : report.mode, facts: isolationInForce(report, chosen) };
      const { verified } = audit;
      const { source, id, older } = secrets.rootKey;
      return {
        ...(isolation === undefined ? {} : { isolation }),
        ...((config.agent.count ?? 1) === 1 ? {} : { agents: (await roles.health()).agent }),
        egress: { ...egressOf(isolation?.facts, publisher.state), opened: config.agent.network.opened },
        openFunctions: openFunctions(publisher.state, config.gateway.urls),
        tokens: expiringTokens(publisher.state, now()),
        rootKey: { source, id, older: [...older] },
        certificates: endingCertificates(hosts.places.certificates(), now()),
        audit: verified === undefined ? {} : { verified: { ...verified, breaks: [...verified.breaks] } },
      };
    },
  });
}
