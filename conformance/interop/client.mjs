// The package's client, as the story uses it: one per node, and its answers in comparable form.

import { NodeKwil } from '@idos-network/kwil-js';

const NAMESPACE = 'main';
/** Longer than a node holds a broadcast open, in milliseconds. */
const PATIENCE = 30_000;

/** The outcome of a write that was committed without an error. */
export const ACCEPTED = 'accepted';

/** How the package tells of an action that refused after its transaction was committed. */
export function refusedWrite(text) {
  const result = { code: 65535, gas: 0, log: `ERROR: ${text}` };
  return JSON.stringify({ tx_hash: 'HASH', result });
}

/** How the package tells of a JSON-RPC error, with its data if there is any. */
export function rpcError(code, message, data) {
  const more = data === undefined ? '' : `, data: ${JSON.stringify(data)}`;
  return `JSON RPC call error: code: ${code}, message: ${message}${more}`;
}

/** How the package tells of a transaction that did not get into the mempool. */
export function rejectedWrite(code, message) {
  return rpcError(-201, 'broadcast error', { code, hash: 'HASH', message });
}

/** The outcome of a view whose action refused. */
export function refusedRead(text) {
  return `refused: ${text}`;
}

/** The package's client with an ear on the wire, since the package keeps some of what it hears to itself. */
export class Client extends NodeKwil {
  /** Every exchange with the node, oldest first. */
  heard = [];

  constructor(url, chainId, options = {}) {
    // The package adds the path itself.
    super({ kwilProvider: url.replace(/\/rpc\/v1\/?$/, ''), chainId, timeout: PATIENCE, ...options });
  }

  request() {
    const instance = super.request();
    const note = ({ config, status, data }) =>
      this.heard.push({ asked: JSON.parse(config.data), status, data });
    instance.interceptors.response.use(
      (response) => {
        note(response);
        return response;
      },
      (error) => {
        if (error.response) note(error.response);
        throw error;
      },
    );
    return instance;
  }

  /** The exchanges about one method. */
  exchanges(method) {
    return this.heard.filter(({ asked }) => asked.method === method);
  }

  /** Sends a batch of one action and waits for its block, unless told not to. Gives the package's receipt. */
  async send(party, name, batch, { nonce, wait = true } = {}) {
    const action = { namespace: NAMESPACE, name, inputs: batch, description: `Interop: ${name}`, nonce };
    const { data } = await this.execute(action, party.signer, wait);
    return data.tx_hash;
  }

  /** What came of a write: `ACCEPTED`, or the package's error with the transaction's hash blotted out. */
  async write(party, name, args, options) {
    try {
      await this.send(party, name, [args], options);
      return ACCEPTED;
    } catch (error) {
      return blotted(error.message);
    }
  }

  /** The rows of a view, or its refusal, which the package drops and shows as no rows. */
  async read(party, name, args) {
    const { data } = await this.call({ namespace: NAMESPACE, name, inputs: args }, party.signer);
    const { error } = this.exchanges('user.call').at(-1).data.result;
    return error ? refusedRead(error) : data.result;
  }

  /** The height of the node's last block. */
  async height() {
    const { data } = await this.chainInfo({ disableWarning: true });
    return Number(data.height);
  }
}

/** Waits until every node has what any of them has committed by now: views are answered from a node's own state. */
export async function settle(clients) {
  const heights = await Promise.all(clients.map((client) => client.height()));
  const goal = Math.max(...heights);
  const end = Date.now() + PATIENCE;
  for (const client of clients) {
    while ((await client.height()) < goal) {
      if (Date.now() > end) throw new Error(`a node did not reach height ${goal}`);
      await pause(20);
    }
  }
}

/** Waits so many milliseconds. */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A text with its transaction hashes, which differ in each run, blotted out. */
export function blotted(text) {
  return text.replaceAll(/"[0-9a-f]{64}"/g, '"HASH"');
}

/** HTTP status, error code and transaction code with which a node turned a request down. */
export async function errorOf(client, act) {
  try {
    await act();
    return 'no error';
  } catch {
    const { status, data } = client.heard.at(-1);
    const parts = [status, data.error?.code, data.error?.data?.code];
    return parts.filter((part) => part !== undefined).join(' ');
  }
}
