/** The examples, deployed and called as their READMEs say. */
import { after, before, test } from 'node:test';
import { type Platform, startPlatform } from '../platform.ts';
import { checkApi } from './check-api.ts';
import { checkAlibaba, checkGoogle, checkTencent, type Invoke } from './check-foreign.ts';
import { checkHello } from './check-hello.ts';
import { checkMarkdown } from './check-markdown.ts';
import { checkThumbnail } from './check-thumbnail.ts';

const checks: Readonly<Record<string, (gatewayUrl: string, invoke: Invoke) => Promise<void>>> = {
  hello: checkHello,
  thumbnail: checkThumbnail,
  markdown: checkMarkdown,
  api: checkApi,
  'alibaba-fc': checkAlibaba,
  'google-cloud-functions': checkGoogle,
  'tencent-scf': checkTencent,
};

let platform: Platform | undefined;
before(async () => {
  platform = await startPlatform();
});
after(() => platform?.stop());

for (const [name, check] of Object.entries(checks)) {
  test(`examples/${name}`, async () => {
    if (platform === undefined) throw new Error('the platform did not start');
    await platform.deploy(`examples/${name}`);
    const { gatewayUrl, token } = platform;
    await check(gatewayUrl, async (name, event) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      return (await fetch(`${gatewayUrl}/_/invoke/${name}`, { method: 'POST', headers, body: JSON.stringify(event) })).json();
    });
  });
}
