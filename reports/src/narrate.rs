//! A run told event by event: one line for every observation, with names instead of ids.

use std::collections::BTreeMap;

use assay_model::crypto::Identity;
use assay_model::history::{Asked, Contradiction, Event, History, Level, Place};
use assay_model::id::{GrantId, Height, NodeId, PartyId, TablesDigest, UserId};
use assay_model::ledger::{
    AccessRequestRow, Action, Answer, ChangeRow, EpochRow, GrantRow, Outcome, Payload, Query,
    RewardRow, Transaction,
};
use assay_model::node::{ClaimProblem, Committed, Rejected, Reply, RequestId, TxResult, TxStatus};
use assay_model::wire::{EnginePayload, KeyId};
use assay_scenarios::plan::Plan;

use crate::chain;
use crate::deed;
use crate::names::{count, few, holder, lock, party, second, short, user};
use crate::report::Called;

fn held(tables: TablesDigest) -> String {
    format!(", tables {}", tables.short())
}

/// One observation in plain words. To tell many, make one [`Narrator`].
pub fn describe(history: &History, plan: &Plan, index: usize) -> String {
    Narrator::new(history, plan).tell(index)
}

/// Tells observations of one history. It knows what every answer answers and whom every grant is for.
pub struct Narrator<'a> {
    history: &'a History,
    plan: &'a Plan,
    questions: BTreeMap<RequestId, usize>,
    grantees: BTreeMap<GrantId, String>,
}

impl std::fmt::Debug for Narrator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Narrator({})", self.plan.name)
    }
}

impl<'a> Narrator<'a> {
    /// Reads the history once.
    pub fn new(history: &'a History, plan: &'a Plan) -> Narrator<'a> {
        let mut narrator = Narrator {
            history,
            plan,
            questions: BTreeMap::new(),
            grantees: BTreeMap::new(),
        };
        for (index, observation) in history.observations().iter().enumerate() {
            let Event::Asked { id, what, .. } = &observation.event else {
                continue;
            };
            narrator.questions.insert(*id, index);
            if let Asked::Broadcast(transaction) = what {
                for action in transaction.payload.calls() {
                    narrator.learn_grant(action);
                }
            }
        }
        narrator
    }

    /// A grant's id follows from what the transaction that creates it says.
    fn learn_grant(&mut self, action: &Action) {
        let (grantee, data, locked_until) = match action {
            Action::ShareCredential {
                id,
                grantee_wallet_identifier,
                locked_until,
                ..
            } => (grantee_wallet_identifier, *id, *locked_until),
            Action::CreateAgByDagForCopy {
                dag_grantee_wallet_identifier,
                dag_data_id,
                dag_locked_until,
                ..
            } => (
                dag_grantee_wallet_identifier,
                *dag_data_id,
                *dag_locked_until,
            ),
            _ => return,
        };
        let id = GrantId::derive(grantee, data, locked_until);
        let name = holder(&self.history.cast, grantee);
        self.grantees.insert(id, name);
    }

    /// One observation in plain words; says so when there is none of this index.
    pub fn tell(&self, index: usize) -> String {
        match self.history.observations().get(index) {
            Some(observation) => self.event(&observation.event),
            None => "no such observation".to_owned(),
        }
    }

    /// The actions and views that one observation is about, in the order they were called.
    pub fn called(&self, index: usize) -> Vec<Called> {
        let observation = self.history.observations().get(index);
        match observation.map(|observation| &observation.event) {
            Some(Event::Asked { what, .. }) => called(what),
            Some(Event::Answered { id, .. } | Event::NoAnswer { id, .. }) => {
                self.asked_as(*id).map(called).unwrap_or_default()
            }
            Some(Event::AskedGateway { query, .. }) => vec![Called::View(query.name())],
            Some(Event::Committed { committed, .. }) => {
                let transactions = committed.block.transactions.iter();
                transactions.flat_map(|one| actions(one)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn event(&self, event: &Event) -> String {
        match event {
            Event::StepBegan { step } => {
                format!("step {} begins: {}", step + 1, self.step(*step))
            }
            Event::StepEnded { step, ending } => {
                format!("step {} ended ({ending}): {}", step + 1, self.step(*step))
            }

            Event::Asked { by, node, what, .. } => {
                format!("{} asks {node}: {}", self.party(*by), self.asked(what, *by))
            }
            Event::Answered {
                id,
                by,
                node,
                reply,
            } => self.answered(*id, *by, *node, reply),
            Event::NoAnswer { id, by, node } => format!(
                "{} gets no answer from {node}: {}",
                self.party(*by),
                self.question(*id, *by)
            ),

            Event::Requested {
                request,
                by,
                of,
                locked_until,
            } => format!(
                "{} asks {} for access, {} (request {request})",
                self.party(*by),
                self.party(*of),
                self.lock(*locked_until)
            ),
            Event::Decided {
                request,
                by,
                copy,
                locked_until,
            } => match copy {
                Some(copy) => format!(
                    "{} approves request {request} with copy {}, {}",
                    self.party(*by),
                    short(copy.0),
                    self.lock(*locked_until)
                ),
                None => format!("{} denies request {request}", self.party(*by)),
            },
            Event::Shown {
                by,
                height,
                credentials,
            } => format!(
                "{} sees on the dashboard, as of height {height}: [{}]",
                self.party(*by),
                few(credentials.iter().map(|id| short(id.0)))
            ),
            Event::Filtered { by, of, told, .. } => format!(
                "the enclave of {} tells {} which credentials are of use: {told}",
                self.party(*of),
                self.party(*by)
            ),
            Event::QuestionAsked {
                question, by, of, ..
            } => format!(
                "{} asks {} a question (question {question})",
                self.party(*by),
                self.party(*of)
            ),
            Event::AnswerDecided {
                question,
                by,
                credential,
                repeated,
            } => match credential {
                Some(credential) => format!(
                    "{} lets question {question} be answered {} from credential {}",
                    self.party(*by),
                    if *repeated { "again and again" } else { "once" },
                    short(credential.0)
                ),
                None => format!(
                    "{} lets question {question} be answered no more",
                    self.party(*by)
                ),
            },
            Event::Evaluated {
                question,
                by,
                credential,
                answer,
                ..
            } => format!(
                "{} answers question {question} from credential {}: {}",
                self.party(*by),
                short(credential.0),
                if *answer { "yes" } else { "no" }
            ),
            Event::AnswerJudged {
                by,
                question,
                doubt,
                ..
            } => match doubt {
                None => format!(
                    "{} believes an answer to question {question}",
                    self.party(*by)
                ),
                Some(doubt) => format!(
                    "{} does not believe an answer to question {question}: {}",
                    self.party(*by),
                    doubt.code()
                ),
            },
            Event::Vouched { by, to, .. } => format!(
                "{} vouches to {} for what it verified itself",
                self.party(*by),
                self.party(*to)
            ),
            Event::Relied { by, on, doubt, .. } => match doubt {
                None => format!("{} relies on {}", self.party(*by), self.party(*on)),
                Some(doubt) => format!(
                    "{} does not rely on {}: {}",
                    self.party(*by),
                    self.party(*on),
                    doubt.code()
                ),
            },
            Event::SignedIn { gateway, by, .. } => {
                format!("{} signs in at {}", self.party(*by), self.party(*gateway))
            }
            Event::AskedGateway { by, gateway, query } => format!(
                "{} has {} pass on {}",
                self.party(*by),
                self.party(*gateway),
                query.name()
            ),
            Event::SessionLeaked { gateway, of, to } => format!(
                "{} lets {} have the session of {}",
                self.party(*gateway),
                self.party(*to),
                self.party(*of)
            ),
            Event::Recognised { by, of, known, .. } => format!(
                "{} knows the face of {}: {}",
                self.party(*by),
                self.party(*of),
                if *known {
                    "it has come before"
                } else {
                    "it is new"
                }
            ),
            Event::MetPerson {
                by,
                user: id,
                known,
                ..
            } => format!(
                "{} reads which person {} is: {}",
                self.party(*by),
                user(self.plan, *id),
                if *known {
                    "one that has another profile"
                } else {
                    "no other it knows"
                }
            ),
            Event::Issued {
                by,
                about,
                credential,
                document,
                dated: _,
            } => format!(
                "{} signs document {} about {}, for credential {}",
                self.party(*by),
                document.short(),
                self.user(*about),
                short(credential.0)
            ),
            Event::Stated {
                by,
                notes,
                dated: _,
            } => format!("{} signs what it states: {notes}", self.party(*by)),
            Event::KeyDeclared { by, from } => format!(
                "{} declares its key invalid from {} on",
                self.party(*by),
                self.second(*from)
            ),
            Event::KeyDeclarationRead { by, of, from } => format!(
                "{} reads that the key of {} is invalid from {} on",
                self.party(*by),
                self.party(*of),
                self.second(*from)
            ),
            Event::Sealed {
                by,
                credential,
                encryptor: _,
                document,
                content: _,
                to: _,
            } => format!(
                "{} seals document {} for credential {}",
                self.party(*by),
                document.short(),
                short(credential.0)
            ),
            Event::Opened {
                by,
                credential,
                document,
                height,
            } => format!(
                "{} opens credential {} as of height {height} and finds document {}",
                self.party(*by),
                short(credential.0),
                document.short()
            ),
            Event::Judged {
                by,
                copy,
                user,
                document: _,
                height,
                doubt,
            } => {
                let about = format!(
                    "copy {} of {} as of height {height}",
                    short(copy.0),
                    self.user(*user)
                );
                match doubt {
                    None => format!("{} accepts {about}", self.party(*by)),
                    Some(doubt) => {
                        format!("{} declines {about}: {}", self.party(*by), doubt.code())
                    }
                }
            }

            Event::KeyDerived { by, key, taken, .. } => {
                let came = match (key, taken) {
                    (None, _) => "gets no key from a password: the salt is refused",
                    (Some(_), true) => "gets its key from a password",
                    (Some(_), false) => "gets another key than its own from a password",
                };
                format!("{} {came}", self.party(*by))
            }
            Event::Guessed {
                by,
                of,
                tries,
                found,
            } => {
                let came = if *found { "finds" } else { "does not find" };
                let (by, of) = (self.party(*by), self.user(*of));
                format!("{by} {came} the password of {of} in {tries} tries")
            }
            Event::SharesAsked { by, address } => {
                format!("{} asks the share nodes as {address}", self.party(*by))
            }
            Event::ShareReleased {
                by,
                user,
                address,
                right,
            } => format!(
                "{} gives {} share of {} to {address}",
                self.party(*by),
                if *right { "its" } else { "a wrong" },
                self.user(*user)
            ),
            Event::ShareRefused { by, user, address } => {
                let (by, user) = (self.party(*by), self.user(*user));
                format!("{by} refuses {address} the share of {user}")
            }
            Event::Recovered {
                by, answers, key, ..
            } => format!(
                "{} gets {} from {} shares",
                self.party(*by),
                if key.is_some() { "a key" } else { "nothing" },
                answers.len()
            ),
            Event::Rotated { by, .. } => {
                format!(
                    "{} has changed keys and sealed everything anew",
                    self.party(*by)
                )
            }
            Event::OriginAuthorised { by, origin, each } => format!(
                "{} lets {} ask its enclave{}",
                self.party(*by),
                self.party(*origin),
                if *each { ", one request at a time" } else { "" }
            ),
            Event::Allowed { by, request } => {
                format!(
                    "{} approves request {request} to its enclave",
                    self.party(*by)
                )
            }
            Event::Disclosed {
                by,
                to,
                request,
                credential,
                ..
            } => format!(
                "the enclave of {} shows credential {} to {} (request {request})",
                self.party(*by),
                short(credential.0),
                self.party(*to)
            ),

            Event::Started { node, again } => {
                format!("{node} {}", if *again { "starts again" } else { "starts" })
            }
            Event::Crashed { node, lost } => format!(
                "{node} crashes and loses {}",
                count(u64::from(*lost), "unsynced write", "unsynced writes")
            ),
            Event::Stopped { node } => format!("{node} stops when asked to"),
            Event::Proposed {
                node,
                height,
                time,
                clock,
            } => format!(
                "{node} proposes block {height}, block time {}{}",
                self.second(time.block_time().0),
                match time.distance(*clock) {
                    0 => String::new(),
                    apart => format!(", {apart} ms off its own clock"),
                }
            ),
            Event::Committed {
                node,
                committed,
                app_hash,
                results,
                tables,
                replayed,
            } => format!(
                "{node} {} block {} of {}: {}; app hash {}{}",
                if *replayed {
                    "catches up with"
                } else {
                    "commits"
                },
                committed.block.height,
                committed.block.proposer,
                self.results(committed, results),
                app_hash.short(),
                tables.map_or(String::new(), |(_, after)| held(after))
            ),
            Event::Installed {
                node,
                height,
                app_hash,
                tables,
            } => format!(
                "{node} takes a peer's snapshot of height {height}; app hash {}{}",
                app_hash.short(),
                tables.map_or(String::new(), |(_, after)| held(after))
            ),
            Event::Halted { node, why } => format!("{node} halts: {why}"),
            Event::Leads { node, term } => format!("{node} takes the lead in term {term}"),
            Event::Appointed { leader, term } => {
                format!("the operators appoint {leader} for term {term}")
            }

            Event::FaultBegan { fault } => format!("begins: {}", self.fault(*fault)),
            Event::FaultEnded { fault, effect } => {
                format!("over, with effect {effect}: {}", self.fault(*fault))
            }
            Event::ChainBlock { block } => chain::block(&self.history.cast, block),
            Event::ChainReorganised { last, lost } => format!(
                "the chain that holds the tokens goes back to block {last}; the calls after it {}",
                if *lost { "are lost" } else { "wait again" }
            ),

            Event::Healed => "all trouble is over".to_owned(),
            Event::Settled => "nothing is under way any more".to_owned(),
            Event::Unsettled { owed } => {
                format!(
                    "time is up and something is still owed: {}",
                    few(owed.iter().cloned())
                )
            }
            Event::Exhausted => "the bound on events is reached".to_owned(),

            Event::Scanned {
                node,
                place,
                bytes,
                found,
            } => {
                let place = match place {
                    Place::Request => "what clients sent to",
                    Place::Message => "what peers sent to",
                    Place::Disk => "the disk of",
                    Place::Log => "the log of",
                };
                let found = match found.as_slice() {
                    [] => "no plaintext".to_owned(),
                    found => format!("plaintext of {}", few(found.iter().cloned())),
                };
                format!("{place} {node} holds {found} in {bytes} bytes")
            }
            Event::Inspected {
                node,
                height,
                app_hash,
                tables,
                credentials,
                grants,
                users,
                oldest,
                named,
            } => {
                let papers = match named.len() as u64 {
                    0 => String::new(),
                    papers => format!(
                        "; {} who was party to them",
                        count(papers, "used paper says", "used papers say")
                    ),
                };
                let since = match oldest {
                    Some(oldest) if *oldest > Height(1) => format!(" and blocks from {oldest} on"),
                    _ => String::new(),
                };
                format!(
                    "{node} holds {}, {} and {} at height {height}{since}; app hash {}{}{papers}",
                    count(users.len() as u64, "user", "users"),
                    count(credentials.len() as u64, "credential", "credentials"),
                    count(grants.len() as u64, "grant", "grants"),
                    app_hash.short(),
                    tables.map_or(String::new(), held)
                )
            }
            Event::Remained {
                node,
                credential,
                level,
            } => {
                let what = format!("the deleted content of credential {}", short(credential.0));
                match level {
                    Level::Readable => format!("{node} still shows {what}"),
                    Level::Tables => format!("{node} still has {what} in its tables"),
                    Level::History => {
                        format!("{node} has {what} in its blocks or logs, but not in its tables")
                    }
                    Level::Gone => format!("{node} holds nothing of {what}"),
                }
            }
            Event::Contradicted {
                node,
                of,
                height,
                what,
                expected,
                got,
            } => {
                let of = match of {
                    Contradiction::View => "the view",
                    Contradiction::Result => "the result of",
                    Contradiction::Reply => "the request",
                    Contradiction::Height => "the height of",
                };
                format!(
                    "{node} goes against the ledger at height {height} in {of} {what}: expected \
                     {expected}, got {got}"
                )
            }
            Event::Late { by } => format!("the run is {by} late; the machine is too busy"),
            Event::Doubted { why } => format!("the run proves nothing: {why}"),
            Event::Compared {
                node,
                answers,
                results,
            } => format!(
                "{} and {} of {node} were compared with the ledger",
                count(*answers, "answer", "answers"),
                count(*results, "result", "results")
            ),
        }
    }

    fn step(&self, index: u32) -> String {
        match self.plan.steps.get(index as usize) {
            Some(step) => deed::deed(self.plan, &step.deed),
            None => "not in the plan".to_owned(),
        }
    }

    fn fault(&self, index: u32) -> String {
        match self.plan.faults.get(index as usize) {
            Some(fault) => deed::fault(self.plan, &fault.kind),
            None => "a fault that is not in the plan".to_owned(),
        }
    }

    fn party(&self, id: PartyId) -> String {
        party(self.plan, id)
    }

    fn user(&self, id: UserId) -> String {
        user(self.plan, id)
    }

    fn second(&self, at: i64) -> String {
        second(self.history.cast.epoch, at)
    }

    fn lock(&self, locked_until: i64) -> String {
        lock(self.history.cast.epoch, locked_until)
    }

    fn holder(&self, identity: &str) -> String {
        holder(&self.history.cast, identity)
    }

    fn sender(&self, identity: &Identity) -> String {
        self.holder(&identity.caller())
    }

    fn grant(&self, id: GrantId) -> String {
        match self.grantees.get(&id) {
            Some(grantee) => format!("{} to {grantee}", short(id.0)),
            None => short(id.0),
        }
    }

    fn question(&self, id: RequestId, by: PartyId) -> String {
        match self.asked_as(id) {
            Some(what) => self.asked(what, by),
            None => "something it was not seen to ask".to_owned(),
        }
    }

    /// What was asked under this id.
    fn asked_as(&self, id: RequestId) -> Option<&Asked> {
        let index = self.questions.get(&id)?;
        match &self.history.observations()[*index].event {
            Event::Asked { what, .. } => Some(what),
            _ => None,
        }
    }

    fn asked(&self, what: &Asked, by: PartyId) -> String {
        match what {
            Asked::Broadcast(transaction) => self.transaction(transaction, Some(by)),
            Asked::View {
                caller,
                signed,
                query,
            } => {
                let claim = match caller {
                    None => " anonymously".to_owned(),
                    Some(caller) => {
                        let name = self.sender(caller);
                        if name == self.party(by) {
                            String::new()
                        } else {
                            format!(" as {name}")
                        }
                    }
                };
                let unsigned = if *signed || caller.is_none() {
                    ""
                } else {
                    ", unsigned"
                };
                format!("{}{claim}{unsigned}", self.query(query))
            }
            Asked::Housekeeping(what) => (*what).to_owned(),
        }
    }

    /// The sender is told only when it is not who is known to speak already.
    fn transaction(&self, transaction: &Transaction, by: Option<PartyId>) -> String {
        let sender = self.sender(&transaction.sender);
        let text = self.payload(&transaction.payload);
        if by.is_some_and(|by| self.party(by) == sender) {
            text
        } else {
            format!("{text} of {sender}")
        }
    }

    fn payload(&self, payload: &Payload) -> String {
        let batch = match payload {
            Payload::Actions(batch) => batch,
            Payload::Engine(engine) => return self.engine(engine),
        };
        if batch.problem().is_some() {
            return "a transaction that says nothing readable".to_owned();
        }
        let arguments = |action: &Action| self.action(action);
        format!(
            "{}({})",
            batch.name(),
            few(batch.calls().iter().map(arguments))
        )
    }

    /// What the engine is to do itself.
    fn engine(&self, engine: &EnginePayload) -> String {
        let node = |key: &KeyId| match key.identity() {
            Some(identity) => self.sender(&identity),
            None => "a stranger".to_owned(),
        };
        let argument = match engine {
            EnginePayload::RawStatement { statement, .. } => {
                statement.lines().next().unwrap_or_default().to_owned()
            }
            EnginePayload::Transfer { to, amount } => format!("{amount} to {}", node(to)),
            EnginePayload::ValidatorJoin { power } => power.to_string(),
            EnginePayload::ValidatorApprove { candidate: key }
            | EnginePayload::ValidatorRemove { validator: key } => node(key),
            EnginePayload::ValidatorLeave => String::new(),
            EnginePayload::ValidatorVoteIds(ids) => few(ids.iter().map(|id| short(id.0))),
            EnginePayload::ValidatorVoteBodies(events) => {
                few(events.iter().map(|event| event.kind.clone()))
            }
            EnginePayload::CreateResolution(event) => {
                format!("{} {}", event.kind, short(event.id().0))
            }
            EnginePayload::ApproveResolution(id) | EnginePayload::DeleteResolution(id) => {
                short(id.0)
            }
        };
        format!("{}({argument})", engine.name())
    }

    /// The arguments that matter to a reader.
    fn action(&self, action: &Action) -> String {
        match action {
            Action::AddInserterAsOwner { id: _, name } => name.to_string(),
            Action::DeleteInserterAsOwner { id } => short(id.0),
            Action::AddDelegateAsOwner {
                address,
                inserter_id: _,
            }
            | Action::DeleteDelegateAsOwner { address } => self.holder(address),
            Action::AddUserAsInserter { id, .. }
            | Action::UpdateUserPubKeyAsInserter { id, .. } => self.user(*id),
            Action::RemoveUser {} => String::new(),
            Action::UpsertWalletAsInserter {
                user_id, address, ..
            } => {
                format!("{}, {}", self.user(*user_id), self.holder(address))
            }
            Action::AddWallet { id, .. } | Action::RemoveWallet { id } => short(id.0),
            Action::UpsertCredentialAsInserter { id, user_id, .. } => {
                format!("{}, {}", short(id.0), self.user(*user_id))
            }
            Action::AddCredential { id, .. }
            | Action::EditCredential { id, .. }
            | Action::RemoveCredential { id } => short(id.0),
            Action::EditPublicNotesAsIssuer {
                public_notes_id,
                public_notes,
            } => match assay_model::vc::status(public_notes) {
                Some(status) => format!("{public_notes_id}, `{status}`"),
                None => public_notes_id.to_string(),
            },
            Action::ShareCredential {
                id,
                original_credential_id,
                grantee_wallet_identifier,
                locked_until,
                ..
            } => format!(
                "{} as {} to {}, {}",
                short(original_credential_id.0),
                short(id.0),
                self.holder(grantee_wallet_identifier),
                self.lock(*locked_until)
            ),
            Action::CreateCredentialsByDwg {
                original_credential_id,
                copy_credential_id,
                dwg_owner,
                dwg_grantee,
                dwg_access_grant_timelock,
                ..
            } => format!(
                "{} of {} and {} for {}, locked until {dwg_access_grant_timelock}",
                short(original_credential_id.0),
                self.holder(dwg_owner),
                short(copy_credential_id.0),
                self.holder(dwg_grantee)
            ),
            Action::AddAttributeAsInserter { id, user_id, .. } => {
                format!("{}, {}", short(id.0), self.user(*user_id))
            }
            Action::AddAttribute { id, .. }
            | Action::EditAttribute { id, .. }
            | Action::RemoveAttribute { id } => short(id.0),
            Action::ShareAttribute {
                id,
                original_attribute_id,
                ..
            } => format!("{} as {}", short(original_attribute_id.0), short(id.0)),
            Action::AddPassportingClubAsOwner { name, .. }
            | Action::UpdatePassportingClubAsOwner { name, .. }
            | Action::AddPassportingPeerAsOwner { name, .. }
            | Action::UpdatePassportingPeerAsOwner { name, .. } => name.to_string(),
            Action::DeletePassportingClubAsOwner { id } => short(id.0),
            Action::DeletePassportingPeerAsOwner { id } => short(id.0),
            Action::AddPassportingPeerToClubAsOwner {
                passporting_club_id: club,
                passporting_peer_id: peer,
            }
            | Action::DeletePassportingPeerFromClubAsOwner {
                passporting_club_id: club,
                passporting_peer_id: peer,
            } => format!("{} and {}", short(peer.0), short(club.0)),
            Action::CreateCredentialCopy {
                id,
                original_credential_id,
                ..
            } => format!("{} as {}", short(original_credential_id.0), short(id.0)),
            Action::RescindSharedCredential { credential_id } => short(credential_id.0),
            Action::CreateAgByDagForCopy {
                dag_owner_wallet_identifier,
                dag_grantee_wallet_identifier,
                dag_data_id,
                dag_locked_until,
                ..
            } => format!(
                "{} of {} to {}, {}",
                short(dag_data_id.0),
                self.holder(dag_owner_wallet_identifier),
                self.holder(dag_grantee_wallet_identifier),
                self.lock(*dag_locked_until)
            ),
            Action::ActionCostingGas {} => String::new(),
            Action::ActionCostingIdosToken { amount } => amount.to_string(),
            Action::ActionCostingFee { credential_id } => short(credential_id.0),
            Action::SetIssuerFee {
                credential_id,
                issuer_fee,
                issuer_wallet,
            } => format!(
                "{} at {issuer_fee} for {}",
                short(credential_id.0),
                self.holder(issuer_wallet)
            ),
            Action::RequestWithdrawal { token } => token.to_string(),
            Action::RequestBalanceWithdrawal {
                token,
                evm_address_to,
            } => format!("{token} to {}", self.holder(evm_address_to)),
            Action::Transfer { token, to, amount } => {
                format!("{amount} of {token} to {}", self.holder(to))
            }
            Action::Lock { token, amount } | Action::Bridge { token, amount } => {
                format!("{amount} of {token}")
            }
            Action::CancelDag {
                dag_owner_wallet_identifier,
                dag_grantee_wallet_identifier,
                dag_data_id,
                ..
            } => format!(
                "{} of {} to {}",
                short(dag_data_id.0),
                self.holder(dag_owner_wallet_identifier),
                self.holder(dag_grantee_wallet_identifier)
            ),
            Action::CancelDwg { dwg_id } => short(dwg_id.0),
            Action::RevokeAccessGrant { id } | Action::UseAccessGrant { id } => self.grant(*id),
            Action::RevokeGranteeAccess {
                data_id,
                grantee_wallet_identifier,
            } => format!(
                "{} to {}",
                short(data_id.0),
                self.holder(grantee_wallet_identifier)
            ),
            Action::RequestAccess {
                id,
                user_id,
                locked_until,
                ..
            } => format!(
                "{} of {}, {}",
                short(id.0),
                self.user(*user_id),
                self.lock(*locked_until)
            ),
            Action::WithdrawAccessRequest { id } | Action::DenyAccessRequest { id } => short(id.0),
            Action::RemoveCredentialWhenUnlocked { id } => short(id.0),
        }
    }

    fn query(&self, query: &Query) -> String {
        let page = |name: &str, value: &Option<i64>| value.map(|value| format!("{name} {value}"));
        let arguments = match query {
            Query::GetUser {}
            | Query::GetWallets {}
            | Query::GetCredentials {}
            | Query::GetAttributes {}
            | Query::GetLockedRemainders {}
            | Query::GetPassportingPeers {}
            | Query::GetAccessGrantsOwned {} => String::new(),
            Query::GetAccessGrantTerms { id } => self.grant(*id),
            Query::GetAccessRequestsReceived { page: number, size }
            | Query::GetAccessRequestsMade { page: number, size }
            | Query::GetAuditRecords { page: number, size }
            | Query::GetGovernanceLog { page: number, size } => {
                let given = [page("page", number), page("size", size)];
                let given: Vec<_> = given.into_iter().flatten().collect();
                given.join(", ")
            }
            Query::GetUserAsInserter { id } => self.user(*id),
            Query::GetCredentialOwned { id }
            | Query::GetCredentialShared { id }
            | Query::CredentialExistAsInserter { id }
            | Query::HasLockedAccessGrants { id } => short(id.0),
            Query::GetCredentialsSharedByUser { user_id, .. } => self.user(*user_id),
            Query::GetSiblingCredentialId { content_hash } => {
                content_hash.chars().take(8).collect()
            }
            Query::GetAccessGrantsGranted {
                user_id,
                page: number,
                size,
            } => [
                user_id.map(|id| self.user(id)),
                page("page", number),
                page("size", size),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", "),
            Query::GetAccessGrantsGrantedCount { user_id } => {
                user_id.map(|id| self.user(id)).unwrap_or_default()
            }
            Query::GetAccessGrantsForCredential { credential_id } => short(credential_id.0),
            Query::DagMessage {
                dag_grantee_wallet_identifier,
                dag_data_id,
                ..
            } => format!(
                "{} to {}",
                short(dag_data_id.0),
                self.holder(dag_grantee_wallet_identifier)
            ),
            Query::DwgMessage {
                grantee_wallet_identifier,
                id,
                ..
            } => format!(
                "{} to {}",
                short(id.0),
                self.holder(grantee_wallet_identifier)
            ),
            Query::HasProfile { address } => self.holder(address),
            Query::CheckBalance { address, token } => {
                format!("{token} of {}", self.holder(address))
            }
            Query::GetWalletWithBalance { token } => token.to_string(),
            Query::GetAllowance {} => String::new(),
            Query::GetIssuerFee { credential_id } => short(credential_id.0),
            Query::Balance { token, user } => format!("{token} of {}", self.holder(user)),
            Query::Info { token } | Query::ListEpochs { token, .. } => token.to_string(),
            Query::GetEpochRewards { token, epoch_id } => {
                format!("{token}, epoch {}", short(epoch_id.0))
            }
            Query::ListWalletRewards { token, wallet, .. } => {
                format!("{token} of {}", self.holder(wallet))
            }
        };
        format!("{}({arguments})", query.name())
    }

    fn answered(&self, id: RequestId, by: PartyId, node: NodeId, reply: &Reply) -> String {
        let answer = match reply {
            Reply::Health {
                height,
                time,
                syncing,
            } => format!(
                ": at height {height}, chain time {}{}",
                self.second(time.0),
                if *syncing { ", catching up" } else { "" }
            ),
            Reply::Account { nonce } => format!(": last nonce {nonce}"),
            Reply::Included { height, outcome } => format!(" {}", included(*height, *outcome)),
            Reply::Submitted => ": taken, and waiting for a block".to_owned(),
            Reply::Rejected(rejected) => format!(" rejected: {}", rejection(*rejected)),
            Reply::TimedOut => ": not in a block in time; it may still get into one".to_owned(),
            Reply::TxStatus(TxStatus::Included { height, outcome }) => {
                format!(": {}", included(*height, *outcome))
            }
            Reply::TxStatus(TxStatus::Pending) => ": waiting for a block".to_owned(),
            Reply::TxStatus(TxStatus::Unknown) => ": never heard of".to_owned(),
            Reply::Challenge(bytes) => format!(": challenge {}", hex::encode(&bytes[..4])),
            Reply::View { height, result } => match result {
                Ok(answer) => format!(" = {} at height {height}", self.answer(answer)),
                Err(refusal) => format!(" refused at height {height}: {refusal}"),
            },
            Reply::ClaimRefused(problem) => {
                let why = match problem {
                    ClaimProblem::Unsigned => "nothing is signed",
                    ClaimProblem::UnknownChallenge => "the challenge is none of its own",
                    ClaimProblem::ExpiredChallenge => "the challenge is too old",
                    ClaimProblem::WrongSignature => "the signature is wrong",
                };
                format!(" refused: it does not believe the caller, {why}")
            }
            Reply::Behind => ": it may be behind, and answers no reads".to_owned(),
            Reply::Halted => ": it has halted".to_owned(),
        };
        format!(
            "{node} answered {}: {}{answer}",
            self.party(by),
            self.question(id, by)
        )
    }

    fn answer(&self, answer: &Answer) -> String {
        let or_nothing = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
        match answer {
            Answer::User(row) => or_nothing(
                row.as_ref()
                    .map(|row| format!("the profile of {}", self.user(row.id))),
            ),
            Answer::Wallets(rows) => {
                format!("[{}]", few(rows.iter().map(|row| short(row.id.0))))
            }
            Answer::Credentials(rows) => {
                format!("[{}]", few(rows.iter().map(|row| short(row.id.0))))
            }
            Answer::Owned(row) => or_nothing(
                row.as_ref()
                    .map(|row| format!("credential {}", short(row.id.0))),
            ),
            Answer::Shared(row) => {
                format!("copy {} of {}", short(row.id.0), self.user(row.user_id))
            }
            Answer::CredentialId(id) => or_nothing(id.map(|id| short(id.0))),
            Answer::Grants(rows) => {
                let grant = |row: &GrantRow| {
                    format!("{} to {}", short(row.id.0), self.holder(&row.grantee))
                };
                format!("[{}]", few(rows.iter().map(grant)))
            }
            Answer::Attributes(rows) => {
                format!("[{}]", few(rows.iter().map(|row| short(row.id.0))))
            }
            Answer::Requests(rows) => {
                let request =
                    |row: &AccessRequestRow| format!("{} {}", short(row.id.0), row.state.name());
                format!("[{}]", few(rows.iter().map(request)))
            }
            Answer::Terms(row) => {
                let told = |limit: Option<i64>| limit.map_or("any".to_owned(), |n| n.to_string());
                format!(
                    "end {}, uses left {}",
                    told(row.expires_at),
                    told(row.uses_left)
                )
            }
            Answer::Records(rows) => {
                format!(
                    "[{}]",
                    few(rows.iter().map(|row| row.event.name().to_owned()))
                )
            }
            Answer::Remainders(rows) => {
                format!("[{}]", few(rows.iter().map(|row| short(row.id.0))))
            }
            Answer::Peers(rows) => {
                format!("[{}]", few(rows.iter().map(|row| row.name.to_string())))
            }
            Answer::Changes(rows) => {
                let change =
                    |row: &ChangeRow| format!("{} {}", row.what, self.holder(&row.subject));
                format!("[{}]", few(rows.iter().map(change)))
            }
            Answer::Count(number) => number.to_string(),
            Answer::Truth(yes) => (if *yes { "yes" } else { "no" }).to_owned(),
            Answer::Text(_) => "a text to sign".to_owned(),
            Answer::Amount(amount) => amount.to_string(),
            Answer::Allowance(amount) => or_nothing(amount.map(|amount| amount.to_string())),
            Answer::Address(address) => {
                or_nothing(address.map(|address| self.holder(&address.to_string())))
            }
            Answer::Info(info) => format!("{} with the network", info.balance),
            Answer::Epochs(rows) => {
                let epoch = |row: &EpochRow| format!("{} until {}", row.total, row.end_height);
                format!("[{}]", few(rows.iter().map(epoch)))
            }
            Answer::Rewards(rows) => {
                let reward = |row: &RewardRow| {
                    let who = self.holder(&row.recipient.to_string());
                    format!("{} to {who}", row.amount)
                };
                format!("[{}]", few(rows.iter().map(reward)))
            }
            Answer::Claims(rows) => {
                format!("[{}]", few(rows.iter().map(|row| row.amount.to_string())))
            }
        }
    }

    fn results(&self, committed: &Committed, results: &[TxResult]) -> String {
        if committed.block.transactions.is_empty() {
            return "no transactions".to_owned();
        }
        let told = committed.block.transactions.iter().map(|transaction| {
            let result = results.iter().find(|result| result.id == transaction.id);
            let outcome = result.map_or("without a result".to_owned(), |result| {
                outcome(result.outcome)
            });
            format!("{} {outcome}", self.transaction(transaction, None))
        });
        few(told)
    }
}

fn called(what: &Asked) -> Vec<Called> {
    match what {
        Asked::Broadcast(transaction) => actions(transaction).collect(),
        Asked::View { query, .. } => vec![Called::View(query.name())],
        Asked::Housekeeping(_) => Vec::new(),
    }
}

/// The actions a transaction calls; the engine's own payloads call none.
fn actions(transaction: &Transaction) -> impl Iterator<Item = Called> {
    let calls = transaction.payload.calls().iter();
    calls.map(|action| Called::Action(action.name()))
}

fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Accepted => "accepted".to_owned(),
        Outcome::Refused(refusal) => format!("refused: {refusal}"),
        Outcome::Invalid => "invalid".to_owned(),
    }
}

fn included(height: Height, result: Outcome) -> String {
    format!("{}, in block {height}", outcome(result))
}

fn rejection(rejected: Rejected) -> &'static str {
    match rejected {
        Rejected::Invalid(_) => rejected.code(),
        Rejected::AlreadyExists => "the node has it already",
        Rejected::TooLarge => "it is too large",
        Rejected::Full => "the mempool is full",
        Rejected::CatchingUp => "the node is catching up",
    }
}
