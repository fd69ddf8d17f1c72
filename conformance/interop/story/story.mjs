// What the chapters share: the network, the cast, the ids, and the ways to take a step.

import { randomUUID } from 'node:crypto';

import { Client, settle } from '../client.mjs';
import { ed25519Party, walletParty } from '../parties.mjs';
import { Steps } from '../steps.mjs';

/** The issuer's name in the network's tables. */
export const ISSUER = 'kyc-co';

/** The document that is issued, shared and opened. */
export const DOCUMENT = JSON.stringify({
  type: 'VerifiableCredential',
  credentialSubject: { name: 'Zoë', country: 'PT' },
});

export class Story {
  steps = new Steps();
  inserterId = randomUUID();
  userId = randomUUID();
  originalId = randomUUID();
  copyId = randomUUID();
  lockedCopyId = randomUUID();
  notes = JSON.stringify({
    id: randomUUID(),
    type: 'KYC',
    level: 'basic',
    status: 'approved',
    issuer: ISSUER,
  });

  constructor({ urls, chainId, mode, secret }) {
    this.urls = urls;
    this.chainId = chainId;
    this.mode = mode;
    this.clients = urls.map((url) => new Client(url, chainId));
    // Everybody asks another node, as far as there are nodes.
    const node = (place) => this.clients[place % this.clients.length];
    this.dbOwner = { ...walletParty(secret), node: node(0) };
    this.issuer = { ...ed25519Party(), node: node(1) };
    this.user = { ...walletParty(), node: node(2) };
    this.grantee = { ...ed25519Party(), node: node(3) };
    this.stranger = { ...walletParty(), node: node(0) };
  }

  /** A step of any kind. */
  async expect(what, expected, act) {
    await this.steps.expect(what, expected, act);
  }

  /** A step in which a party sends an action; when it has ended, every node knows what came of it. */
  async write(what, expected, party, name, args, options) {
    await this.expect(what, expected, async () => {
      const outcome = await party.node.write(party, name, args, options);
      await settle(this.clients);
      return outcome;
    });
  }

  /** A step in which a party asks for a view; `look` picks from the rows what is to be compared. */
  async read(what, expected, party, name, args, look = (rows) => rows) {
    await this.expect(what, expected, async () => {
      const outcome = await party.node.read(party, name, args);
      return Array.isArray(outcome) ? look(outcome) : outcome;
    });
  }

  /** The arguments by which the database owner admits one more key of the issuer, nobody's in particular. */
  furtherDelegate() {
    return [ed25519Party().caller, this.inserterId];
  }
}
