// From the admission of an issuer to the end of a grant.

import { randomUUID } from 'node:crypto';

import { ACCEPTED, refusedRead, refusedWrite } from '../client.mjs';
import { base64, consent, credential, opened, ownershipProof } from '../parties.mjs';
import { DOCUMENT, ISSUER } from './story.mjs';

const DAY = 86_400;

/** The database owner makes the issuer an inserter. */
export async function admission(story) {
  const { dbOwner, inserterId, issuer, stranger } = story;
  const inserter = [inserterId, ISSUER];
  const forbidden = refusedWrite('action is owner-only: add_inserter_as_owner');
  await story.write(
    'a stranger cannot admit an issuer',
    forbidden,
    stranger,
    'add_inserter_as_owner',
    inserter,
  );
  await story.write('the owner admits an issuer', ACCEPTED, dbOwner, 'add_inserter_as_owner', inserter);
  const free = { price: '0', fee: null, signature: null };
  await story.expect('the price of an unsigned transaction is 0', free, () => {
    const { asked, data } = dbOwner.node.exchanges('user.estimate_price').at(-1);
    const { body, signature } = asked.params.tx;
    return { price: data.result.price, fee: body.fee, signature: signature?.sig ?? null };
  });
  const delegate = [issuer.caller, inserterId];
  await story.write('and one of its keys', ACCEPTED, dbOwner, 'add_delegate_as_owner', delegate);
  const twice = refusedWrite('duplicate key value violates unique constraint "delegates_pkey"');
  await story.write('but not the same key again', twice, dbOwner, 'add_delegate_as_owner', delegate);
  await story.expect('several calls go in one transaction', ACCEPTED, async () => {
    const batch = [story.furtherDelegate(), story.furtherDelegate()];
    await dbOwner.node.send(dbOwner, 'add_delegate_as_owner', batch);
    return ACCEPTED;
  });
  const account = { identifier: dbOwner.caller.slice(2).toLowerCase(), key_type: 'secp256k1' };
  const four = { id: account, balance: '0', nonce: 4 };
  await story.expect("the owner's nonce is 4, the refused transaction included", four, async () => {
    return (await dbOwner.node.getAccount(dbOwner.identifier)).data;
  });
}

/** The issuer registers the user, whose first wallet makes the profile. */
export async function registration(story) {
  const { chainId, issuer, stranger, user, userId } = story;
  const key = base64(user.box.publicKey);
  const profile = [userId, key, 'user'];
  const unauthorized = 'Unauthorized inserter';
  const refused = refusedWrite(unauthorized);
  await story.write('a stranger cannot register a user', refused, stranger, 'add_user_as_inserter', profile);
  await story.write('the issuer registers a user', ACCEPTED, issuer, 'add_user_as_inserter', profile);
  await story.read('who has no profile until there is a wallet', [], user, 'get_user', []);

  const wallet = async (network) => {
    const [message, signature] = await ownershipProof(user, userId, network);
    return [randomUUID(), userId, user.caller, null, 'EVM', message, signature];
  };
  const bind = (what, expected, args) =>
    story.write(what, expected, issuer, 'upsert_wallet_as_inserter', args);
  const unbound = refusedWrite('the ownership proof does not name this profile, wallet and network');
  await bind('a wallet proven for another network is refused', unbound, await wallet(`not-${chainId}`));
  const own = await wallet(chainId);
  await bind("the user's first wallet is bound", ACCEPTED, own);

  const row = { id: userId, recipient_encryption_public_key: key, encryption_password_store: 'user' };
  await story.read('the user reads the profile', [row], user, 'get_user', []);
  const [id, user_id, address, public_key, wallet_type, message, signature] = own;
  const columns = { id, user_id, address, public_key, wallet_type, message, signature, inserter: ISSUER };
  await story.read('and its wallets', [columns], user, 'get_wallets', []);
  const inserted = [{ ...row, inserter: ISSUER }];
  await story.read('the issuer reads the profile', inserted, issuer, 'get_user_as_inserter', [userId]);
  const hidden = refusedRead(unauthorized);
  await story.read('a stranger does not', hidden, stranger, 'get_user_as_inserter', [userId]);
  const known = [{ has_profile: true }];
  await story.read('a stranger learns that there is one', known, stranger, 'has_profile', [user.caller]);
}

/** The issuer writes a credential with the owner's consent, and the owner reads it back. */
export async function writing(story) {
  const { chainId, grantee, issuer, notes, originalId, stranger, user, userId } = story;
  const issued = credential({
    id: originalId,
    owner: userId,
    to: user,
    notes,
    document: DOCUMENT,
    by: issuer.signing,
  });
  const agreed = await consent(user, userId, issued, chainId);
  const row = ({ id, issuer, encryptor, content, notes, notesSignature, broaderSignature }) => {
    return [id, userId, issuer, encryptor, content, notes, notesSignature, broaderSignature];
  };
  const insert = (what, expected, args) => {
    return story.write(what, expected, issuer, 'upsert_credential_as_inserter', args);
  };
  const alone = refusedWrite("the owner's signature for this change is missing or wrong");
  await insert("a credential without the owner's consent is refused", alone, row(issued));
  const altered = { ...issued, notes: notes.replace('basic', 'plus') };
  const wrong = refusedWrite('signature is wrong');
  await insert('altered notes are refused', wrong, [...row(altered), ...agreed]);
  await insert('the issuer writes a credential', ACCEPTED, [...row(issued), ...agreed]);

  const summary = {
    id: originalId,
    user_id: userId,
    public_notes: notes,
    issuer_auth_public_key: issuer.caller,
    inserter: ISSUER,
  };
  const listed = [{ ...summary, original_id: null }];
  await story.read('the owner lists it', listed, user, 'get_credentials', []);
  const whole = [{ ...summary, content: issued.content, encryptor_public_key: issued.encryptor }];
  await story.read('the owner reads it', whole, user, 'get_credential_owned', [originalId]);
  await opens('and opens it', story, user, 'get_credential_owned', originalId);
  await story.read('a stranger reads nothing', [], stranger, 'get_credential_owned', [originalId]);
  const unshared = refusedRead('the credential is not shared with the caller');
  await story.read('neither does the grantee yet', unshared, grantee, 'get_credential_shared', [originalId]);
}

/** The owner shares a copy, which the grantee alone reads. */
export async function sharing(story) {
  const { copyId, grantee, notes, stranger, user, userId } = story;
  const notOwned = refusedWrite('original credential does not belong to the caller');
  const share = (what, expected, by) => {
    return story.write(what, expected, by, 'share_credential', copy(story, copyId, 0));
  };
  await share('a stranger cannot share it', notOwned, stranger);
  await share('the owner shares a copy', ACCEPTED, user);
  await opens('the grantee opens it', story, grantee, 'get_credential_shared', copyId);
  const original = ([row]) => row?.public_notes;
  await story.read(
    "and reads the original's notes",
    notes,
    grantee,
    'get_credential_shared',
    [copyId],
    original,
  );
  const refused = refusedRead('the credential is not shared with the caller');
  await story.read('a stranger is refused', refused, stranger, 'get_credential_shared', [copyId]);

  const grant = { owner: userId, to: grantee.caller, data: copyId, lockedUntil: '0', by: 'user' };
  const grants = (rows) => {
    return rows.map((row) => ({
      owner: row.ag_owner_user_id,
      to: row.ag_grantee_wallet_identifier,
      data: row.data_id,
      lockedUntil: row.locked_until,
      by: row.inserter_type,
    }));
  };
  const page = (number) => [null, number, 10];
  await story.read(
    'the grantee lists the grant',
    [grant],
    grantee,
    'get_access_grants_granted',
    page(1),
    grants,
  );
  const one = [{ count: '1' }];
  await story.read('and counts it', one, grantee, 'get_access_grants_granted_count', [userId]);
  const noPage = refusedRead('page has to be a positive integer');
  await story.read('there is no page 0', noPage, grantee, 'get_access_grants_granted', page(0));
}

/** The owner ends a grant, and cannot end a locked one. */
export async function revoking(story) {
  const { copyId, grantee, lockedCopyId, originalId, stranger, user } = story;
  const tomorrow = Math.floor(Date.now() / 1000) + DAY;
  const locked = copy(story, lockedCopyId, tomorrow);
  await story.write('the owner shares a copy under a lock', ACCEPTED, user, 'share_credential', locked);
  const ids = {};
  const shared = [copyId, lockedCopyId].sort();
  await story.read('the owner lists both grants', shared, user, 'get_access_grants_owned', [], (rows) => {
    for (const { id, data_id } of rows) ids[data_id] = id;
    return Object.keys(ids).sort();
  });
  const revoke = (what, expected, by, copyId) => {
    return story.write(what, expected, by, 'revoke_access_grant', [ids[copyId]]);
  };
  await revoke(
    'a stranger cannot revoke a grant',
    refusedWrite('the access grant not found'),
    stranger,
    copyId,
  );
  await revoke(
    'the owner cannot revoke the locked one',
    refusedWrite('the grant is locked'),
    user,
    lockedCopyId,
  );
  await revoke('the owner revokes the other one', ACCEPTED, user, copyId);
  // The copy has lost its last grant, and goes with it.
  const gone = refusedRead('the credential is not shared with the caller');
  await story.read('the former grantee is refused', gone, grantee, 'get_credential_shared', [copyId]);
  await opens('and still opens the locked copy', story, grantee, 'get_credential_shared', lockedCopyId);
  await opens('the owner still opens the original', story, user, 'get_credential_owned', originalId);
}

async function opens(what, story, reader, view, id) {
  await story.read(what, DOCUMENT, reader, view, [id], ([row]) => opened(reader, row));
}

/** The arguments of `share_credential` for a copy sealed to the grantee and signed with a throw-away key. */
function copy({ grantee, originalId, userId }, id, lockedUntil) {
  const made = credential({ id, owner: userId, to: grantee, notes: '', document: DOCUMENT });
  return [
    id,
    originalId,
    made.notes,
    made.notesSignature,
    made.broaderSignature,
    made.content,
    made.hash,
    made.encryptor,
    made.issuer,
    grantee.caller,
    lockedUntil,
  ];
}
