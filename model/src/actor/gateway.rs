//! The gateway: the door through which most people reach the nodes. It signs wallets in once, keeps a session
//! for each, and passes their calls on to a node. Source: idos-facts 4.2, 6.4.
//!
//! Nodes in open mode believe the name it states, so that everything hangs on its honesty. Nodes in private mode
//! want every call signed, and then it carries signatures along and can only refuse to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::directory::Directory;
use super::letter::Letter;
use super::machine::{Outbox, Output, Timer};
use crate::crypto::{Identity, Suite};
use crate::history::Event;
use crate::id::{NodeId, PartyId, Text};
use crate::node::{Claim, ClaimProblem, Reply, Request, RequestId};
use crate::rules::Switch;
use crate::time::{BlockTime, WallMillis};
use crate::wire::SignIn;

/// How long a session lasts, in seconds.
const SESSION: i64 = 600;
/// How long it waits for a node, in milliseconds: a little longer than a node takes to give a transaction up.
const ANSWER: u64 = 16_000;

/// A call under way: whose it is, and by which name of its own.
type Open = (PartyId, RequestId);

/// What a gateway remembers. See the module.
pub(super) struct Gateway {
    me: PartyId,
    suite: Arc<dyn Suite>,
    directory: Arc<Directory>,
    entropy: [u8; 32],
    drawn: u64,
    /// Texts handed out, by nonce, until they are signed.
    texts: BTreeMap<String, SignIn>,
    /// By cookie: who signed in, and the last second of the session.
    sessions: BTreeMap<Text, (Identity, BlockTime)>,
    open: BTreeMap<RequestId, Open>,
    issued: u64,
    /// How often each client had to be sent to another node.
    turns: BTreeMap<PartyId, usize>,
    turned_away: BTreeSet<PartyId>,
}

impl Gateway {
    pub(super) fn new(
        me: PartyId,
        suite: Arc<dyn Suite>,
        directory: Arc<Directory>,
        entropy: [u8; 32],
    ) -> Gateway {
        Gateway {
            me,
            suite,
            directory,
            entropy,
            drawn: 0,
            texts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            open: BTreeMap::new(),
            issued: 0,
            turns: BTreeMap::new(),
            turned_away: BTreeSet::new(),
        }
    }

    /// The domain a gateway of this name stands under.
    pub(super) fn domain(name: &str) -> String {
        format!("{name}.example")
    }

    /// Takes or drops the calls of a party from now on.
    pub(super) fn turn_away(&mut self, party: PartyId, away: bool) {
        if away {
            self.turned_away.insert(party);
        } else {
            self.turned_away.remove(&party);
        }
    }

    /// Somebody's living session.
    pub(super) fn session_of(&self, now: WallMillis, party: PartyId) -> Option<(Text, Identity)> {
        let identities = &self.directory.card(party).identities;
        let lives = |(identity, until): &(Identity, BlockTime)| {
            identities.contains(identity) && now.block_time() <= *until
        };
        let mut sessions = self.sessions.iter();
        let (cookie, (identity, _)) = sessions.find(|(_, session)| lives(session))?;
        Some((cookie.clone(), *identity))
    }

    /// Drops what is over, which is good for nothing any more.
    fn forget(&mut self, now: BlockTime) {
        self.texts.retain(|_, text| now <= text.expires);
        self.sessions.retain(|_, (_, until)| now <= *until);
    }

    fn draw(&mut self) -> String {
        self.drawn += 1;
        let mut hash = blake3::Hasher::new_keyed(&self.entropy);
        hash.update(b"gateway").update(&self.drawn.to_le_bytes());
        hex::encode(&hash.finalize().as_bytes()[..16])
    }

    /// Takes what a client says; gives everything else back.
    pub(super) fn on_letter(
        &mut self,
        now: WallMillis,
        from: PartyId,
        letter: Letter,
        out: &mut Outbox,
    ) -> Option<Letter> {
        let is_call = matches!(
            letter,
            Letter::SignInWanted { .. } | Letter::SignIn { .. } | Letter::Forward { .. }
        );
        if is_call && self.turned_away.contains(&from) {
            return None;
        }
        match letter {
            Letter::SignInWanted { id, identity } => {
                let nonce = self.draw();
                let issued = now.block_time();
                self.forget(issued);
                let text = SignIn {
                    domain: Gateway::domain(&self.directory.card(self.me).persona.name),
                    address: identity.caller(),
                    chain_id: self.directory.chain_id.to_string(),
                    nonce: nonce.clone(),
                    issued,
                    expires: BlockTime(issued.0 + SESSION),
                };
                self.texts.insert(nonce, text.clone());
                out.letter(from, Letter::SignInText { id, text });
            }
            Letter::SignIn {
                id,
                identity,
                nonce,
                signature,
            } => {
                let session = self.sign_in(now, &identity, &nonce, &signature);
                if let Some((_, until)) = &session {
                    out.note(Event::SignedIn {
                        gateway: self.me,
                        by: from,
                        identity,
                        until: until.0,
                    });
                }
                out.letter(from, Letter::Session { id, session });
            }
            Letter::Forward {
                id,
                cookie,
                request,
            } => self.forward(now, (from, id), cookie, *request, out),
            other => return Some(other),
        }
        None
    }

    /// A text is good once, for the wallet it names, and not after its end.
    fn sign_in(
        &mut self,
        now: WallMillis,
        identity: &Identity,
        nonce: &str,
        signature: &[u8],
    ) -> Option<(Text, BlockTime)> {
        let text = self.texts.remove(nonce)?;
        let signed = self
            .suite
            .verify(identity, text.to_string().as_bytes(), signature);
        if !signed || text.address != identity.caller() || now.block_time() > text.expires {
            return None;
        }
        let cookie: Text = self.draw().into();
        self.sessions
            .insert(cookie.clone(), (*identity, text.expires));
        Some((cookie, text.expires))
    }

    fn forward(
        &mut self,
        now: WallMillis,
        client: Open,
        cookie: Option<Text>,
        request: Request,
        out: &mut Outbox,
    ) {
        let (from, _) = client;
        // In private mode names come with signatures, and there is nothing to add to them.
        let names = !self.directory.rules.keep(Switch::AuthenticatedReads);
        let request = match (request, cookie) {
            (Request::View { query, .. }, Some(cookie)) if names => {
                let session = self.sessions.get(&cookie);
                let claim = match session {
                    Some((identity, until)) if now.block_time() <= *until => {
                        Claim::Stated(*identity)
                    }
                    _ => {
                        let reply = Some(Reply::ClaimRefused(ClaimProblem::Unsigned));
                        return answer(client, reply, out);
                    }
                };
                Request::View { claim, query }
            }
            // Who only states a name is nobody here.
            (
                Request::View {
                    claim: Claim::Stated(_),
                    ..
                },
                None,
            ) if names => {
                let reply = Some(Reply::ClaimRefused(ClaimProblem::Unsigned));
                return answer(client, reply, out);
            }
            (request, _) => request,
        };
        self.issued += 1;
        let id = RequestId(u64::from(self.me.0) << 32 | 1 << 31 | self.issued);
        self.open.insert(id, client);
        out.request(self.node_for(from), id, request);
        out.timer(ANSWER, Timer::Answer(id));
    }

    /// A client stays with a node that answers, since challenges are good where they were given.
    fn node_for(&self, client: PartyId) -> NodeId {
        let turn = client.index() + self.turns.get(&client).copied().unwrap_or_default();
        self.directory.nodes[turn % self.directory.nodes.len()]
    }

    /// Passes a node's answer on; gives it back when the call is none of its own.
    pub(super) fn on_reply(
        &mut self,
        id: RequestId,
        reply: Reply,
        out: &mut Outbox,
    ) -> Option<Reply> {
        let Some(client) = self.open.remove(&id) else {
            return Some(reply);
        };
        answer(client, Some(reply), out);
        None
    }

    /// The node is not there, or takes too long; false when the call is none of its own.
    pub(super) fn on_unreachable(&mut self, id: RequestId, late: bool, out: &mut Outbox) -> bool {
        let Some(client) = self.open.remove(&id) else {
            return false;
        };
        if late {
            out.0.push(Output::GiveUp { id });
        }
        *self.turns.entry(client.0).or_default() += 1;
        answer(client, None, out);
        true
    }
}

fn answer((client, id): Open, reply: Option<Reply>, out: &mut Outbox) {
    let reply = reply.map(Box::new);
    out.letter(client, Letter::Forwarded { id, reply });
}

#[cfg(test)]
mod tests {
    use super::super::directory::Keys;
    use super::super::people::{directory, persona};
    use super::*;
    use crate::crypto::Symbolic;
    use crate::history::Role;
    use crate::ledger::Query;
    use crate::rules::Rules;

    const FRONT: PartyId = PartyId(0);
    const BANK: PartyId = PartyId(1);
    const CALL: RequestId = RequestId(7);
    const NOON: WallMillis = WallMillis(1_000_000);

    fn gateway(rules: Rules) -> (Gateway, Keys) {
        let suite: Arc<dyn Suite> = Arc::new(Symbolic);
        let personas = [
            persona("front", Role::Gateway, FRONT),
            persona("bank", Role::Consumer, BANK),
        ];
        let (directory, mut keys) = directory(&personas, rules);
        let bank = keys.remove(BANK.index());
        (Gateway::new(FRONT, suite, directory, [0; 32]), bank)
    }

    fn open() -> Rules {
        Rules::documented().with(Switch::AuthenticatedReads, false)
    }

    /// What the gateway does with a letter of the bank's.
    fn hears(gateway: &mut Gateway, now: WallMillis, letter: Letter) -> Vec<Output> {
        let mut out = Outbox::default();
        assert!(gateway.on_letter(now, BANK, letter, &mut out).is_none());
        out.0
    }

    fn text(gateway: &mut Gateway, now: WallMillis, identity: Identity) -> SignIn {
        let wanted = Letter::SignInWanted { id: CALL, identity };
        match hears(gateway, now, wanted).remove(0) {
            Output::Letter {
                letter: Letter::SignInText { text, .. },
                ..
            } => text,
            other => panic!("{other:?}"),
        }
    }

    /// The cookie a signature gets.
    fn cookie(
        gateway: &mut Gateway,
        now: WallMillis,
        (identity, text): (Identity, &SignIn),
        signature: Vec<u8>,
    ) -> Option<Text> {
        let letter = Letter::SignIn {
            id: CALL,
            identity,
            nonce: text.nonce.clone(),
            signature,
        };
        match hears(gateway, now, letter).pop() {
            Some(Output::Letter {
                letter: Letter::Session { session, .. },
                ..
            }) => session.map(|(cookie, _)| cookie),
            other => panic!("{other:?}"),
        }
    }

    /// As whom a node is asked: nothing when it is not asked at all.
    fn asked_as(
        gateway: &mut Gateway,
        now: WallMillis,
        claim: Claim,
        cookie: Option<Text>,
    ) -> Option<Option<Identity>> {
        let query = Query::GetCredentials {};
        let letter = Letter::Forward {
            id: CALL,
            cookie,
            request: Box::new(Request::View { claim, query }),
        };
        match hears(gateway, now, letter).remove(0) {
            Output::Request {
                request: Request::View { claim, .. },
                ..
            } => Some(claim.identity()),
            _ => None,
        }
    }

    #[test]
    fn a_text_is_signed_once_by_the_wallet_it_names_and_in_time() {
        let late = WallMillis(NOON.0 + (SESSION as u64 + 1) * 1_000);
        let (mut front, bank) = gateway(open());
        let key = &bank.signing[0];
        let identity = Symbolic.identity(key);
        let sign = |text: &SignIn| Symbolic.sign(key, text.to_string().as_bytes());

        let good = text(&mut front, NOON, identity);
        assert!(cookie(&mut front, NOON, (identity, &good), sign(&good)).is_some());
        assert!(cookie(&mut front, NOON, (identity, &good), sign(&good)).is_none());

        let forged = text(&mut front, NOON, identity);
        assert!(cookie(&mut front, NOON, (identity, &forged), sign(&good)).is_none());

        let stale = text(&mut front, NOON, identity);
        assert!(cookie(&mut front, late, (identity, &stale), sign(&stale)).is_none());

        let others = text(&mut front, NOON, Identity::Ed25519([9; 32]));
        assert!(cookie(&mut front, NOON, (identity, &others), sign(&others)).is_none());
    }

    #[test]
    fn open_nodes_are_told_who_signed_in_and_nobody_else() {
        let (mut front, bank) = gateway(open());
        let identity = Symbolic.identity(&bank.signing[0]);
        let good = text(&mut front, NOON, identity);
        let signature = Symbolic.sign(&bank.signing[0], good.to_string().as_bytes());
        let session = cookie(&mut front, NOON, (identity, &good), signature);
        let last = WallMillis(NOON.0 + SESSION as u64 * 1_000 + 999);
        let over = WallMillis(last.0 + 1);
        let stated = || Claim::Stated(Identity::Ed25519([9; 32]));
        for (now, claim, cookie, expected) in [
            (
                NOON,
                Claim::Anonymous,
                session.clone(),
                Some(Some(identity)),
            ),
            (
                last,
                Claim::Anonymous,
                session.clone(),
                Some(Some(identity)),
            ),
            (over, Claim::Anonymous, session.clone(), None),
            (NOON, stated(), session.clone(), Some(Some(identity))),
            (NOON, stated(), None, None),
            (NOON, Claim::Anonymous, Some("guess".into()), None),
            (NOON, Claim::Anonymous, None, Some(None)),
        ] {
            let told = asked_as(&mut front, now, claim.clone(), cookie.clone());
            assert_eq!(told, expected, "{now:?} {claim:?} {cookie:?}");
        }
        let living = |now| front.session_of(now, BANK).map(|(cookie, _)| cookie);
        assert_eq!(living(last), session);
        assert_eq!(living(over), None);
        front.turn_away(BANK, true);
        let wanted = Letter::SignInWanted { id: CALL, identity };
        assert!(hears(&mut front, NOON, wanted).is_empty());
    }

    #[test]
    fn what_is_over_is_dropped_when_somebody_signs_in() {
        let (mut front, bank) = gateway(open());
        let identity = Symbolic.identity(&bank.signing[0]);
        let good = text(&mut front, NOON, identity);
        let signature = Symbolic.sign(&bank.signing[0], good.to_string().as_bytes());
        assert!(cookie(&mut front, NOON, (identity, &good), signature).is_some());
        text(&mut front, NOON, identity);
        let last = WallMillis(NOON.0 + SESSION as u64 * 1_000);
        for (now, texts, sessions) in [(last, 2, 1), (WallMillis(last.0 + 1_000), 2, 0)] {
            text(&mut front, now, identity);
            assert_eq!((front.texts.len(), front.sessions.len()), (texts, sessions));
        }
    }

    #[test]
    fn private_nodes_are_told_what_the_client_says() {
        let (mut front, _) = gateway(Rules::documented());
        let stated = Identity::Ed25519([9; 32]);
        let told = asked_as(&mut front, NOON, Claim::Stated(stated), None);
        assert_eq!(told, Some(Some(stated)));
    }

    #[test]
    fn a_client_stays_with_a_node_until_it_does_not_answer() {
        let (mut front, _) = gateway(Rules::documented());
        let node = |front: &mut Gateway| {
            let letter = Letter::Forward {
                id: CALL,
                cookie: None,
                request: Box::new(Request::Challenge),
            };
            match hears(front, NOON, letter).remove(0) {
                Output::Request { node, id, .. } => (node, id),
                other => panic!("{other:?}"),
            }
        };
        let (first, id) = node(&mut front);
        let mut out = Outbox::default();
        let reply = || Reply::Challenge([0; 32]);
        assert!(front.on_reply(id, reply(), &mut out).is_none());
        assert!(front.on_reply(id, reply(), &mut out).is_some());
        let (second, id) = node(&mut front);
        assert_eq!(first, second);
        assert!(front.on_unreachable(id, true, &mut out));
        assert_ne!(node(&mut front).0, first);
    }
}
