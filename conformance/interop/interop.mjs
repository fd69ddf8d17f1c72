// The story of a credential, told to a running network through the public JavaScript client.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { Client } from './client.mjs';
import { admission, registration, revoking, sharing, writing } from './story/credential.mjs';
import { believedReads, signedReads } from './story/reads.mjs';
import { Story } from './story/story.mjs';
import { accounts, network, rejections, transactions } from './story/wire.mjs';

const { values: told, positionals: urls } = parseArgs({
  options: { mode: { type: 'string' }, 'owner-key': { type: 'string' } },
  allowPositionals: true,
});
if (urls.length === 0 || !told['owner-key'] || !['private', 'open'].includes(told.mode)) {
  console.error('usage: node interop.mjs --mode private|open --owner-key FILE URL..');
  process.exit(64);
}

const { data: chain } = await new Client(urls[0], '').chainInfo({ disableWarning: true });
const secret = readFileSync(told['owner-key'], 'utf8').trim();
const story = new Story({ urls, chainId: chain.chain_id, mode: told.mode, secret });
const chapters = [
  network,
  accounts,
  admission,
  transactions,
  rejections,
  registration,
  writing,
  sharing,
  revoking,
  told.mode === 'private' ? signedReads : believedReads,
];
for (const chapter of chapters) {
  await chapter(story);
}
process.exitCode = story.steps.finish() ? 0 : 1;
