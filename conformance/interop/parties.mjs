// Parties and what they make with their keys: signers, ownership proofs, consents, sealed and signed credentials.
// Texts that idOS has not published are laid out as `model/src/ledger/message.rs` and
// `model/src/crypto/credential.rs` say.

import { createHash, randomBytes } from 'node:crypto';

import { KwilSigner } from '@idos-network/kwil-js';
import { Wallet, getBytes } from 'ethers';
import nacl from 'tweetnacl';

/** Seconds for which an ownership proof may be used. */
const PROOF_LIFETIME = 3_600;

/** Bytes of the nonce in front of a sealed box. */
const NONCE = 24;

/** Standard base64 of bytes. */
export const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const unbase64 = (text) => new Uint8Array(Buffer.from(text, 'base64'));
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const utf8 = (text) => new Uint8Array(Buffer.from(text, 'utf8'));
const joined = (...parts) => new Uint8Array(Buffer.concat(parts));

/** Somebody with an Ethereum wallet, made up unless a secret is given. */
export function walletParty(secret) {
  const wallet = secret ? new Wallet(secret) : Wallet.createRandom();
  const identifier = getBytes(wallet.address);
  return {
    caller: wallet.address,
    identifier,
    signer: new KwilSigner(wallet, identifier),
    sign: (text) => wallet.signMessage(text),
    box: nacl.box.keyPair(),
  };
}

/** Somebody with a plain Ed25519 key. */
export function ed25519Party() {
  const { publicKey, secretKey } = nacl.sign.keyPair();
  const sign = async (message) => nacl.sign.detached(message, secretKey);
  return {
    caller: hex(publicKey),
    identifier: publicKey,
    signer: new KwilSigner(sign, publicKey, 'ed25519'),
    signing: { publicKey, secretKey },
    box: nacl.box.keyPair(),
  };
}

/** Somebody who states one party's identity and signs with another's key. */
export function masquerade(as, by) {
  return { ...as, signer: new KwilSigner(by.signer.signer, as.identifier) };
}

/** The message and signature that bind a wallet to a profile. */
export async function ownershipProof(party, user, chainId) {
  const notAfter = Math.floor(Date.now() / 1000) + PROOF_LIFETIME;
  const message =
    `operation: connectWallet\nprofile: ${user}\nwallet: ${party.caller}\nnetwork: ${chainId}\n` +
    `notUsableAfter: ${notAfter}`;
  return [message, await party.sign(message)];
}

/** The arguments by which an owner agrees that an inserter stores a credential. */
export async function consent(party, user, { id, issuer }, chainId) {
  const text =
    `operation: insertCredential\ncredential: ${id}\nissuer: ${issuer}\nprofile: ${user}\n` +
    `network: ${chainId}`;
  return [party.caller, await party.sign(text)];
}

/** A credential: a document sealed to somebody, and the issuer's two signatures for an owner's row. */
export function credential({ id, owner, to, notes, document, by = nacl.sign.keyPair() }) {
  const encryption = nacl.box.keyPair();
  const nonce = new Uint8Array(randomBytes(NONCE));
  const sealed = nacl.box(utf8(document), nonce, to.box.publicKey, encryption.secretKey);
  const content = joined(nonce, sealed);
  const encryptor = base64(encryption.publicKey);
  const binding = `owner: ${owner}\ncredential: ${id}\nencryptor public key: ${encryptor}`;
  const notesSignature = nacl.sign.detached(utf8(notes), by.secretKey);
  const broader = nacl.sign.detached(joined(notesSignature, content, utf8(binding)), by.secretKey);
  return {
    id,
    issuer: hex(by.publicKey),
    encryptor,
    content: base64(content),
    notes,
    notesSignature: base64(notesSignature),
    broaderSignature: base64(broader),
    hash: createHash('sha256').update(document).digest('hex'),
  };
}

/** The document in a row, opened with the reader's key; a text that says what is wrong where it does not open. */
export function opened(reader, row) {
  if (!row) return 'there is no row';
  const bytes = unbase64(row.content);
  const encryptor = unbase64(row.encryptor_public_key);
  const plain = nacl.box.open(bytes.slice(NONCE), bytes.slice(0, NONCE), encryptor, reader.box.secretKey);
  return plain ? Buffer.from(plain).toString('utf8') : 'the content does not open';
}
