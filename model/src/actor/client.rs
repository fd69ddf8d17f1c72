//! How a party gets something out of the nodes: challenges before reads, nonces before writes, another
//! node when one does not answer. Source: kwil-rpc 5, 6 and 14.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::letter::Letter;
use super::machine::{Outbox, TaskId, Timer};
use super::order::Via;
use crate::crypto::{Identity, SigningKey, Suite};
use crate::history::Event;
use crate::id::{Height, NodeId, PartyId, Text};
use crate::ledger::{Answer, Outcome, Payload, Query, Refusal, Transaction, Unsigned};
use crate::node::{Claim, Rejected, Reply, Request, RequestId, TxStatus, view_text};
use crate::time::WallMillis;

/// How long a client waits for an ordinary answer, in milliseconds.
const ANSWER: u64 = 3_000;
/// How long it waits for a transaction to be included; a node gives up after 15 s.
const INCLUSION: u64 = 18_000;
/// First pause before trying again; doubles up to sixteen times.
const PAUSE: u64 = 500;
/// How often a refused claim is tried with a fresh challenge.
const CHALLENGES: u32 = 3;

/// Who a reader claims to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum As {
    /// Itself, shown by a signature.
    Self_,
    /// Somebody, merely stated; where that is refused, under a signature of its own key.
    Stated(Identity),
    /// Nobody.
    Nobody,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub(super) enum Got {
    /// A view was answered.
    View {
        height: Height,
        result: Result<Answer, Refusal>,
    },
    /// A transaction is in a block.
    Included(Outcome),
    /// The node did not take it, for this reason.
    Rejected(&'static str),
    /// Nobody answered in time.
    Nothing,
}

/// What a task wants from the nodes.
#[derive(Clone, Debug)]
pub(super) enum Want {
    View { query: Query, as_: As },
    Submit(Payload),
}

#[derive(Debug)]
enum Stage {
    /// Waits for the text to sign, then for the session.
    SignIn,
    /// Waits for the party's earlier transaction.
    Queued,
    Challenge,
    View,
    Nonce,
    Broadcast(Arc<Transaction>),
    Status(Arc<Transaction>),
}

#[derive(Debug)]
struct Call {
    want: Want,
    stage: Stage,
    via: Via,
    wallet: u8,
    /// The network its transaction is signed for.
    chain_id: Text,
    attempt: u32,
    challenges: u32,
    deadline: WallMillis,
    request: Option<(RequestId, NodeId)>,
}

/// The nonces of one wallet. Sends are serialised, since the network allows no gaps.
#[derive(Debug, Default)]
struct Nonces {
    next: Option<u64>,
    busy: bool,
    queue: VecDeque<TaskId>,
}

pub(super) struct Client {
    me: PartyId,
    suite: Arc<dyn Suite>,
    keys: Vec<SigningKey>,
    /// The network's name, which a careful wallet looks for in a sign-in text.
    chain_id: Text,
    nodes: Vec<NodeId>,
    calls: BTreeMap<TaskId, Call>,
    requests: BTreeMap<RequestId, TaskId>,
    nonces: BTreeMap<u8, Nonces>,
    /// Whether nodes want every read signed, so that sessions are of no use.
    signs: bool,
    /// Cookies of gateways, own ones and others'.
    sessions: BTreeMap<(PartyId, Identity), Text>,
    issued: u64,
}

impl Client {
    pub(super) fn new(
        me: PartyId,
        suite: Arc<dyn Suite>,
        keys: Vec<SigningKey>,
        (chain_id, nodes): (Text, Vec<NodeId>),
        signs: bool,
    ) -> Client {
        Client {
            me,
            suite,
            keys,
            chain_id,
            nodes,
            calls: BTreeMap::new(),
            requests: BTreeMap::new(),
            nonces: BTreeMap::new(),
            signs,
            sessions: BTreeMap::new(),
            issued: 0,
        }
    }

    /// Says that the first transactions of a wallet were sent before the story.
    pub(super) fn skip_nonces(&mut self, wallet: u8, used: u64) {
        self.nonces.entry(wallet).or_default().next = Some(used + 1);
    }

    /// Begins a call; its result comes later, out of [`Client::on_reply`] or [`Client::on_timer`].
    pub(super) fn call(
        &mut self,
        now: WallMillis,
        task: TaskId,
        want: Want,
        (via, wallet, chain_id, deadline): (Via, u8, Text, WallMillis),
        out: &mut Outbox,
    ) {
        let stage = match &want {
            Want::View { as_: As::Self_, .. } => self.first_stage(via, wallet),
            Want::View { .. } => Stage::View,
            Want::Submit(_) => Stage::Queued,
        };
        let submits = matches!(want, Want::Submit(_));
        let call = Call {
            want,
            stage,
            via,
            wallet,
            chain_id,
            attempt: 0,
            challenges: 0,
            deadline,
            request: None,
        };
        self.calls.insert(task, call);
        if submits {
            let nonces = self.nonces.entry(wallet).or_default();
            if std::mem::replace(&mut nonces.busy, true) {
                nonces.queue.push_back(task);
                return;
            }
            self.begin_submit(now, task, out);
        } else {
            self.send(now, task, out);
        }
    }

    /// Reads begin with a challenge, or, behind a gateway of open nodes, with a session.
    fn first_stage(&self, via: Via, wallet: u8) -> Stage {
        match via {
            Via::Gateway(gateway) if !self.signs => {
                let own = self.suite.identity(&self.keys[wallet as usize]);
                match self.sessions.contains_key(&(gateway, own)) {
                    true => Stage::View,
                    false => Stage::SignIn,
                }
            }
            _ => Stage::Challenge,
        }
    }

    /// Keeps a session that somebody else signed in for.
    pub(super) fn keep_session(&mut self, gateway: PartyId, identity: Identity, cookie: Text) {
        self.sessions.insert((gateway, identity), cookie);
    }

    fn begin_submit(&mut self, now: WallMillis, task: TaskId, out: &mut Outbox) {
        let Some(call) = self.calls.get_mut(&task) else {
            return;
        };
        let Want::Submit(payload) = &call.want else {
            return;
        };
        call.stage = match self.nonces.entry(call.wallet).or_default().next {
            None => Stage::Nonce,
            Some(nonce) => Stage::Broadcast(Transaction::sign(
                &*self.suite,
                &self.keys[call.wallet as usize],
                Unsigned {
                    nonce,
                    chain_id: call.chain_id.clone(),
                    payload: payload.clone(),
                },
            )),
        };
        self.send(now, task, out);
    }

    /// Sends what the call's stage asks for, to the node whose turn it is.
    fn send(&mut self, now: WallMillis, task: TaskId, out: &mut Outbox) {
        let Some(call) = self.calls.get_mut(&task) else {
            return;
        };
        let node = match call.via {
            Via::Node(node) => node,
            Via::Any => {
                let turn = self.me.index() + call.attempt as usize;
                self.nodes[turn % self.nodes.len()]
            }
            // Which one it is, is the gateway's business.
            Via::Gateway(_) => self.nodes[0],
        };
        if let (Stage::SignIn, Via::Gateway(gateway)) = (&call.stage, call.via) {
            let identity = self.suite.identity(&self.keys[call.wallet as usize]);
            let id = self.open(now, task, node, ANSWER, out);
            return out.letter(gateway, Letter::SignInWanted { id, identity });
        }
        let (request, wait) = match (&call.stage, &call.want) {
            (Stage::Queued | Stage::SignIn, _) => return,
            (Stage::Challenge, _) => (Request::Challenge, ANSWER),
            (Stage::View, Want::View { query, as_ }) => {
                let claim = match as_ {
                    As::Stated(identity) => Claim::Stated(*identity),
                    As::Self_ | As::Nobody => Claim::Anonymous,
                };
                (
                    Request::View {
                        claim,
                        query: query.clone(),
                    },
                    ANSWER,
                )
            }
            (Stage::View, Want::Submit(_)) => unreachable!("a submission has no view stage"),
            (Stage::Nonce, _) => {
                let key = &self.keys[call.wallet as usize];
                (Request::Account(self.suite.identity(key)), ANSWER)
            }
            (Stage::Broadcast(transaction), _) => {
                (Request::Broadcast(transaction.clone()), INCLUSION)
            }
            (Stage::Status(transaction), _) => (Request::TxStatus(transaction.id), ANSWER),
        };
        self.ask(now, task, node, request, wait, out);
    }

    fn ask(
        &mut self,
        now: WallMillis,
        task: TaskId,
        node: NodeId,
        request: Request,
        wait: u64,
        out: &mut Outbox,
    ) {
        let id = self.open(now, task, node, wait, out);
        let call = &self.calls[&task];
        let Via::Gateway(gateway) = call.via else {
            return out.request(node, id, request);
        };
        let speaker = match (&request, &call.want) {
            (Request::View { .. }, Want::View { as_, .. }) => match as_ {
                As::Stated(identity) => Some(*identity),
                As::Self_ => Some(self.suite.identity(&self.keys[call.wallet as usize])),
                As::Nobody => None,
            },
            _ => None,
        };
        let cookie = speaker.and_then(|identity| self.sessions.get(&(gateway, identity)).cloned());
        if let Request::View { query, .. } = &request {
            out.note(Event::AskedGateway {
                by: self.me,
                gateway,
                query: query.clone(),
            });
        }
        let request = Box::new(request);
        out.letter(
            gateway,
            Letter::Forward {
                id,
                cookie,
                request,
            },
        );
    }

    /// A call that waits for an answer so long.
    fn open(
        &mut self,
        now: WallMillis,
        task: TaskId,
        node: NodeId,
        wait: u64,
        out: &mut Outbox,
    ) -> RequestId {
        self.issued += 1;
        let id = RequestId(u64::from(self.me.0) << 32 | self.issued);
        self.requests.insert(id, task);
        let call = self.calls.get_mut(&task).expect("only open calls ask");
        call.request = Some((id, node));
        let wait = wait.min(call.deadline.0.saturating_sub(now.0).max(1));
        out.timer(wait, Timer::Answer(id));
        id
    }

    /// A gateway has said something about a call.
    pub(super) fn on_gateway(
        &mut self,
        now: WallMillis,
        gateway: PartyId,
        letter: Letter,
        out: &mut Outbox,
    ) -> Option<(TaskId, Got)> {
        match letter {
            Letter::SignInText { id, text } => {
                let call = self.calls.get(self.requests.get(&id)?)?;
                let key = &self.keys[call.wallet as usize];
                let identity = self.suite.identity(key);
                // A careful wallet signs in as itself, on its own network, and nothing else.
                if text.address == identity.caller() && text.chain_id == *self.chain_id {
                    let signature = self.suite.sign(key, text.to_string().as_bytes());
                    let nonce = text.nonce;
                    out.letter(
                        gateway,
                        Letter::SignIn {
                            id,
                            identity,
                            nonce,
                            signature,
                        },
                    );
                }
                None
            }
            Letter::Session { id, session } => {
                let task = self.requests.remove(&id)?;
                let call = self.calls.get_mut(&task)?;
                call.request = None;
                let Some((cookie, _)) = session else {
                    return self.finish(now, task, Got::Rejected("claim-refused"), out);
                };
                call.stage = Stage::View;
                let identity = self.suite.identity(&self.keys[call.wallet as usize]);
                self.sessions.insert((gateway, identity), cookie);
                self.send(now, task, out);
                None
            }
            Letter::Forwarded { id, reply } => match reply {
                Some(reply) => self.on_reply(now, id, *reply, out),
                None => self.on_unreachable(now, id, out),
            },
            _ => None,
        }
    }

    /// A node has answered; returns what that means for the task.
    pub(super) fn on_reply(
        &mut self,
        now: WallMillis,
        id: RequestId,
        reply: Reply,
        out: &mut Outbox,
    ) -> Option<(TaskId, Got)> {
        let task = self.requests.remove(&id)?;
        let call = self.calls.get_mut(&task)?;
        let (_, node) = call.request.take()?;
        match (&call.stage, reply) {
            (Stage::Challenge, Reply::Challenge(challenge)) => {
                let Want::View { query, as_ } = &call.want else {
                    unreachable!("only views ask for challenges")
                };
                let key = &self.keys[call.wallet as usize];
                let text = view_text(query, &challenge);
                let identity = match as_ {
                    As::Stated(identity) => *identity,
                    As::Self_ | As::Nobody => self.suite.identity(key),
                };
                let claim = Claim::Signed {
                    identity,
                    challenge,
                    signature: self.suite.sign(key, text.as_bytes()),
                    payload: None,
                };
                let request = Request::View {
                    claim,
                    query: query.clone(),
                };
                call.stage = Stage::View;
                self.ask(now, task, node, request, ANSWER, out);
                None
            }
            (Stage::View, Reply::View { height, result }) => {
                self.finish(now, task, Got::View { height, result }, out)
            }
            (Stage::View, Reply::ClaimRefused(_)) => {
                call.challenges += 1;
                if let (Via::Gateway(gateway), false) = (call.via, self.signs) {
                    // A session that is over is opened anew by whoever can sign for it.
                    let own = matches!(call.want, Want::View { as_: As::Self_, .. });
                    if !own || call.challenges > 1 {
                        return self.finish(now, task, Got::Rejected("claim-refused"), out);
                    }
                    let identity = self.suite.identity(&self.keys[call.wallet as usize]);
                    self.sessions.remove(&(gateway, identity));
                    call.stage = Stage::SignIn;
                    self.send(now, task, out);
                    return None;
                }
                let tries = match call.want {
                    Want::View { as_: As::Self_, .. } => CHALLENGES,
                    // A name that is not believed by itself may be with somebody's signature.
                    Want::View {
                        as_: As::Stated(_), ..
                    } => 2,
                    _ => 0,
                };
                if call.challenges < tries {
                    call.stage = Stage::Challenge;
                    self.send(now, task, out);
                    return None;
                }
                self.finish(now, task, Got::Rejected("claim-refused"), out)
            }
            (Stage::Nonce, Reply::Account { nonce }) => {
                self.nonces.entry(call.wallet).or_default().next = Some(nonce + 1);
                self.begin_submit(now, task, out);
                None
            }
            (
                Stage::Broadcast(transaction) | Stage::Status(transaction),
                Reply::Included { outcome, .. }
                | Reply::TxStatus(TxStatus::Included { outcome, .. }),
            ) => {
                let next = transaction.nonce + 1;
                self.nonces.entry(call.wallet).or_default().next = Some(next);
                self.finish(now, task, Got::Included(outcome), out)
            }
            (Stage::Status(transaction), Reply::TxStatus(TxStatus::Unknown)) => {
                // Sending the very same bytes again is safe: the nonce is good once.
                call.stage = Stage::Broadcast(transaction.clone());
                self.send(now, task, out);
                None
            }
            (Stage::Broadcast(_), Reply::Rejected(rejected)) => {
                self.on_rejected(now, task, rejected, out)
            }
            // TimedOut, Pending, Halted, or an answer to another question.
            _ => self.try_again(now, task, out),
        }
    }

    fn on_rejected(
        &mut self,
        now: WallMillis,
        task: TaskId,
        rejected: Rejected,
        out: &mut Outbox,
    ) -> Option<(TaskId, Got)> {
        let call = self.calls.get_mut(&task)?;
        let first = call.attempt == 0;
        match rejected {
            Rejected::AlreadyExists | Rejected::CatchingUp | Rejected::Full => {
                self.try_again(now, task, out)
            }
            // A nonce that is used up may be this very transaction's; one that is too high meets a
            // node that lags behind. Only a first attempt shows that the nonce itself was wrong.
            Rejected::Invalid(crate::ledger::Invalid::WrongNonce { got, expected }) => {
                if first && expected > got {
                    call.attempt += 1;
                    self.nonces.entry(call.wallet).or_default().next = Some(expected);
                    self.begin_submit(now, task, out);
                    return None;
                }
                self.try_again(now, task, out)
            }
            other => {
                self.nonces.entry(call.wallet).or_default().next = None;
                self.finish(now, task, Got::Rejected(other.code()), out)
            }
        }
    }

    /// The node could not be reached at all.
    pub(super) fn on_unreachable(
        &mut self,
        now: WallMillis,
        id: RequestId,
        out: &mut Outbox,
    ) -> Option<(TaskId, Got)> {
        let task = self.requests.remove(&id)?;
        self.calls.get_mut(&task)?.request = None;
        self.try_again(now, task, out)
    }

    /// An answer is overdue; false when it came meanwhile.
    pub(super) fn is_waiting(&self, id: RequestId) -> bool {
        self.requests.contains_key(&id)
    }

    /// Pauses, then turns to the next node; gives up past the deadline.
    fn try_again(
        &mut self,
        now: WallMillis,
        task: TaskId,
        out: &mut Outbox,
    ) -> Option<(TaskId, Got)> {
        let call = self.calls.get_mut(&task)?;
        // Only behind a gateway of open nodes does a session stand for a signature, which is good once.
        let by_session = matches!(call.via, Via::Gateway(_)) && !self.signs;
        let pause = PAUSE << call.attempt.min(4);
        if now.0 + pause >= call.deadline.0 {
            if let Stage::Broadcast(_) | Stage::Status(_) = call.stage {
                self.nonces.entry(call.wallet).or_default().next = None;
            }
            return self.finish(now, task, Got::Nothing, out);
        }
        call.attempt += 1;
        call.stage = match std::mem::replace(&mut call.stage, Stage::Queued) {
            Stage::Broadcast(transaction) | Stage::Status(transaction) => {
                Stage::Status(transaction)
            }
            Stage::View
                if !by_session && matches!(call.want, Want::View { as_: As::Self_, .. }) =>
            {
                Stage::Challenge
            }
            other => other,
        };
        out.timer(pause, Timer::Again(task, call.attempt));
        None
    }

    pub(super) fn on_again(
        &mut self,
        now: WallMillis,
        task: TaskId,
        attempt: u32,
        out: &mut Outbox,
    ) {
        let due = self
            .calls
            .get(&task)
            .is_some_and(|call| call.attempt == attempt && call.request.is_none());
        if due {
            self.send(now, task, out);
        }
    }

    fn finish(
        &mut self,
        now: WallMillis,
        task: TaskId,
        got: Got,
        out: &mut Outbox,
    ) -> Option<(TaskId, Got)> {
        let call = self.calls.remove(&task)?;
        if matches!(call.want, Want::Submit(_)) {
            let nonces = self.nonces.entry(call.wallet).or_default();
            match nonces.queue.pop_front() {
                Some(next) => self.begin_submit(now, next, out),
                None => nonces.busy = false,
            }
        }
        Some((task, got))
    }
}

#[cfg(test)]
mod tests {
    use super::super::machine::Output;
    use super::*;
    use crate::crypto::{Scheme, Symbolic};

    const TASK: TaskId = TaskId(1);
    const NOON: WallMillis = WallMillis(1_000_000);

    fn asked(out: &mut Outbox) -> (RequestId, Request) {
        let asked = out.0.drain(..).find_map(|output| match output {
            Output::Request { id, request, .. } => Some((id, request)),
            _ => None,
        });
        asked.expect("a node is asked")
    }

    /// A challenge is good once, in open mode too.
    #[test]
    fn an_own_read_is_signed_anew_when_a_node_does_not_answer() {
        for (signs, via) in [
            (true, Via::Any),
            (false, Via::Any),
            (false, Via::Node(NodeId(1))),
        ] {
            let key = SigningKey {
                scheme: Scheme::Evm,
                secret: [1; 32],
            };
            let network = ("net".into(), vec![NodeId(0), NodeId(1)]);
            let suite = Arc::new(Symbolic);
            let mut client = Client::new(PartyId(0), suite, vec![key], network, signs);
            let out = &mut Outbox::default();
            let query = Query::GetUser {};
            let as_ = As::Self_;
            let how = (via, 0, "net".into(), WallMillis(NOON.0 + 60_000));
            client.call(NOON, TASK, Want::View { query, as_ }, how, out);
            for round in 0..2 {
                let (id, request) = asked(out);
                assert!(
                    matches!(request, Request::Challenge),
                    "{signs} {via:?} {round} {request:?}"
                );
                client.on_reply(NOON, id, Reply::Challenge([round; 32]), out);
                let (id, request) = asked(out);
                let claim = match request {
                    Request::View { claim, .. } => claim,
                    other => panic!("{other:?}"),
                };
                assert!(matches!(claim, Claim::Signed { .. }), "{claim:?}");
                client.on_unreachable(NOON, id, out);
                client.on_again(NOON, TASK, u32::from(round) + 1, out);
            }
        }
    }
}
