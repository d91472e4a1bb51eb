/** The examples, deployed and called as their READMEs say. */
import { after, before, test } from 'node:test';
import { type Platform, startPlatform } from '../platform.ts';
import { checkApi } from './check-api.ts';
import { checkHello } from './check-hello.ts';
import { checkMarkdown } from './check-markdown.ts';
import { checkThumbnail } from './check-thumbnail.ts';

const checks = { hello: checkHello, thumbnail: checkThumbnail, markdown: checkMarkdown, api: checkApi } as const;

let platform: Platform | undefined;
before(async () => {
  platform = await startPlatform();
});
after(() => platform?.stop());

for (const [name, check] of Object.entries(checks)) {
  test(`examples/${name}`, async () => {
    if (platform === undefined) throw new Error('the platform did not start');
    await platform.deploy(`examples/${name}`);
    await check(platform.gatewayUrl);
  });
}
