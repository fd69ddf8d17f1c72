// What every network of kwil nodes says of itself, its accounts and its transactions.

import { Client, blotted, errorOf, pause, refusedWrite, rejectedWrite } from '../client.mjs';
import { masquerade } from '../parties.mjs';

/** How often a transaction that is under way is looked for, and the pause between two looks in milliseconds. */
const LOOKS = 600;
const BETWEEN_LOOKS = 50;

/** Whether the nodes are there and ready. */
export async function network(story) {
  const { chainId, clients, mode } = story;
  for (const [place, client] of clients.entries()) {
    const node = `node ${place + 1}`;
    await story.expect(`${node} answers a ping`, 'pong', async () => (await client.ping()).data);
    const peer_count = clients.length - 1;
    const well = { chain_id: chainId, mode, healthy: true, syncing: false, peer_count };
    await story.expect(`${node} is healthy in ${mode} mode`, well, async () => {
      const { chain_id, mode, healthy, syncing, peer_count } = (await client.healthModeCheckClient()).data;
      return { chain_id, mode, healthy, syncing, peer_count };
    });
    const info = { chain_id: chainId, height: 'digits', hash: '64 hex digits' };
    await story.expect(`${node} tells of its chain`, info, async () => {
      const { chain_id, height, hash } = (await client.chainInfo()).data;
      return {
        chain_id,
        height: /^\d+$/.test(height) ? 'digits' : height,
        hash: /^[0-9a-f]{64}$/.test(hash) ? '64 hex digits' : hash,
      };
    });
  }
}

/** What is told of an account nobody has used. */
export async function accounts(story) {
  const { stranger } = story;
  const unused = { id: undefined, balance: '0', nonce: 0 };
  await story.expect('an account nobody has used has nonce 0 and no id', unused, async () => {
    return (await stranger.node.getAccount(stranger.identifier)).data;
  });
  // The package sends a text as it is, and a node reads hex without a prefix.
  await story.expect('an account asked for as 0x.. is refused as a parameter', '400 -32602', () => {
    return errorOf(stranger.node, () => stranger.node.getAccount(stranger.caller));
  });
}

/** How transactions are found, and sent without waiting. The database owner has sent four by now. */
export async function transactions(story) {
  const { chainId, clients, dbOwner, urls } = story;
  const found = {
    result: { code: 0, gas: 0 },
    nonce: 5,
    type: 'execute',
    chain_id: chainId,
    sender: dbOwner.caller.toLowerCase(),
  };
  let receipt;
  await story.expect('a committed transaction is found by its receipt', found, async () => {
    receipt = await dbOwner.node.send(dbOwner, 'add_delegate_as_owner', [story.furtherDelegate()]);
    return known(await dbOwner.node.txInfo(receipt));
  });
  const everywhere = clients.map(() => found);
  await story.expect('and is found at every node', everywhere, () => {
    return Promise.all(clients.map(async (client) => known({ data: await committed(client, receipt) })));
  });
  // The package takes the hash's digits for base64 on the way in and undoes it on the way out; a hash
  // that did not come from the package itself goes out as what it is not.
  await story.expect('its hash in plain hex is refused as a parameter', '400 -32602', () => {
    const hash = Buffer.from(receipt, 'hex').toString('base64');
    return errorOf(dbOwner.node, () => dbOwner.node.txInfo(hash));
  });
  await story.expect('a transaction nobody has sent is not found', '200 -202', () => {
    const hash = Buffer.from('0'.repeat(64), 'base64').toString('hex');
    return errorOf(dbOwner.node, () => dbOwner.node.txInfo(hash));
  });
  const sent = 'transactions sent without waiting get ascending nonces and are committed';
  await story.expect(sent, [6, 7, 8], async () => {
    const hasty = new Client(urls[0], chainId, { unconfirmedNonce: true });
    const receipts = [];
    while (receipts.length < 3) {
      const batch = [story.furtherDelegate()];
      receipts.push(await hasty.send(dbOwner, 'add_delegate_as_owner', batch, { wait: false }));
    }
    const nonces = [];
    for (const receipt of receipts) {
      nonces.push((await committed(hasty, receipt)).tx.body.nonce);
    }
    return nonces;
  });
}

/** What does not get into the mempool, and what gets into a block in vain. */
export async function rejections(story) {
  const { chainId, dbOwner, stranger, urls } = story;
  const add = (what, expected, as, options) => {
    return story.write(what, expected, as, 'add_delegate_as_owner', story.furtherDelegate(), options);
  };
  const account = dbOwner.caller.slice(2).toLowerCase();
  const nonce = (got) => rejectedWrite(4, `invalid nonce for account ${account}: got ${got}, expected 9`);
  await add('a nonce that is too high is refused', nonce(12), dbOwner, { nonce: 12 });
  await add('a nonce that is too low is refused', nonce(8), dbOwner, { nonce: 8 });
  const elsewhere = { ...dbOwner, node: new Client(urls[0], `not-${chainId}`) };
  const wrongChain = rejectedWrite(5, `wrong chain ID: not-${chainId}`);
  await add('a transaction for another network is refused', wrongChain, elsewhere);
  await story.expect('a forged signature is refused', '200 -201 65535', () => {
    const forger = masquerade(dbOwner, stranger);
    const batch = [story.furtherDelegate()];
    return errorOf(dbOwner.node, () => dbOwner.node.send(forger, 'add_delegate_as_owner', batch));
  });
  const unknown = refusedWrite('unknown action: action "add_nothing" does not exist in namespace "main"');
  await story.write('an unknown action is refused in its block', unknown, stranger, 'add_nothing', []);
  const wrongType = refusedWrite(
    'type error: action "add_delegate_as_owner" expected argument 1 to be of type uuid, but got text',
  );
  const what = 'an argument of the wrong type is refused in its block';
  await story.write(what, wrongType, dbOwner, 'add_delegate_as_owner', ['', 'no uuid']);
}

/** What a step compares of a transaction that was found. */
function known({ data: { height, tx, tx_result } }) {
  if (height < 1) return `height ${height}`;
  const { nonce, type, chain_id } = tx.body;
  const { code, gas } = tx_result;
  const sender = `0x${Buffer.from(tx.sender).toString('hex')}`;
  return { result: { code, gas }, nonce, type, chain_id, sender };
}

/** What the package tells of a transaction once it is in a block; until then it has no result. */
async function committed(client, receipt) {
  for (let looks = 0; looks < LOOKS; looks += 1) {
    const { data } = await client.txInfo(receipt);
    if (data.height >= 0) return data;
    if (data.height !== -1 || data.tx_result !== null) throw new Error(blotted(JSON.stringify(data)));
    await pause(BETWEEN_LOOKS);
  }
  throw new Error('the transaction did not get into a block');
}
