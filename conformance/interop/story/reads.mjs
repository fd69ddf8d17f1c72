// What a node asks of readers, which is what its two modes differ in.

import { ACCEPTED, rpcError } from '../client.mjs';
import { ed25519Party, masquerade, opened } from '../parties.mjs';
import { DOCUMENT } from './story.mjs';

/** Private mode: every read is signed over a challenge, which is good once. */
export async function signedReads(story) {
  const { originalId, stranger, user } = story;
  const forged = rpcError(-1004, 'invalid signature on call message');
  const pretended = "a read in the owner's name under a stranger's signature is refused";
  await story.read(pretended, forged, masquerade(user, stranger), 'get_credential_owned', [originalId]);
  const lastCall = () => user.node.exchanges('user.call').at(-1).asked.params;
  // The package gives the code -1001 apart, without the text.
  await story.expect('a signed read is good once', { rows: 1, again: -1001 }, async () => {
    const rows = await user.node.read(user, 'get_credential_owned', [originalId]);
    const { authCode } = await user.node.callClient(lastCall());
    return { rows: rows.length, again: authCode };
  });
  await story.expect('an unsigned read is refused', -1001, async () => {
    const { body, auth_type, sender } = lastCall();
    const unsigned = { body: { payload: body.payload }, auth_type, sender };
    return (await user.node.callClient(unsigned)).authCode;
  });
  await story.expect('arguments can be given by name', ACCEPTED, () => byName(story));
  const told = 'query is prohibited when authenticated calls are enforced (private mode)';
  await story.expect('SQL is refused', rpcError(-1007, told), () => sql(story));
}

/**
 * Open mode: a node believes whom a reader says to be, which is why such a network stands behind a
 * gateway.
 */
export async function believedReads(story) {
  const { clients, originalId, stranger, user } = story;
  const owner = masquerade(user, stranger);
  const row = ([row]) => opened(user, row);
  const pretended = "a read in the owner's name is believed";
  await story.read(pretended, DOCUMENT, owner, 'get_credential_owned', [originalId], row);
  const nobody = { node: user.node };
  const known = [{ has_profile: true }];
  await story.read('nobody in particular can ask for a profile', known, nobody, 'has_profile', [user.caller]);
  await story.read('and has none', [], nobody, 'get_user', []);
  await story.expect('no challenge was asked for', 0, () => {
    return clients.flatMap((client) => client.exchanges('user.challenge')).length;
  });
  const noSql = rpcError(-300, 'this node runs actions, but no SQL');
  // In open mode the package first asks for the declared names, in SQL.
  await story.expect('arguments given by name are refused as SQL', noSql, () => byName(story));
  await story.expect('SQL is refused', noSql, () => sql(story));
}

async function sql({ user }) {
  return (await user.node.selectQuery('SELECT 1')).data;
}

/** Admits another key of the issuer, with arguments by name instead of by place. */
async function byName({ dbOwner, inserterId }) {
  const delegate = { $address: ed25519Party().caller, $inserter_id: inserterId };
  await dbOwner.node.send(dbOwner, 'add_delegate_as_owner', [delegate]);
  return ACCEPTED;
}
