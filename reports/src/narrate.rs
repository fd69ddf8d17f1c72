//! A run told event by event: one line for every observation, with names instead of ids.

use std::collections::BTreeMap;

use assay_model::crypto::Identity;
use assay_model::history::{Asked, Contradiction, Event, History, Level, Place};
use assay_model::id::{GrantId, Height, NodeId, PartyId, TablesDigest, UserId};
use assay_model::ledger::{
    Action, Answer, Batch, EpochRow, GrantRow, Outcome, Query, RewardRow, Transaction,
};
use assay_model::node::{ClaimProblem, Committed, Rejected, Reply, RequestId, TxResult, TxStatus};
use assay_scenarios::plan::Plan;

use crate::deed;
use crate::names::{count, few, holder, lock, party, second, short, user};

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
                for action in transaction.batch.calls() {
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
            Event::Issued {
                by,
                about,
                credential,
                document,
            } => format!(
                "{} signs document {} about {}, for credential {}",
                self.party(*by),
                document.short(),
                self.user(*about),
                short(credential.0)
            ),
            Event::Sealed {
                by,
                credential,
                encryptor: _,
                document,
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
            Event::Halted { node, why } => format!("{node} halts: {why}"),
            Event::Leads { node, term } => format!("{node} takes the lead in term {term}"),
            Event::Appointed { leader, term } => {
                format!("the operators appoint {leader} for term {term}")
            }

            Event::FaultBegan { fault } => format!("begins: {}", self.fault(*fault)),
            Event::FaultEnded { fault, effect } => {
                format!("over, with effect {effect}: {}", self.fault(*fault))
            }
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
            } => {
                format!(
                    "{node} holds {}, {} and {} at height {height}; app hash {}{}",
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
        let asked = self
            .questions
            .get(&id)
            .map(|index| &self.history.observations()[*index].event);
        match asked {
            Some(Event::Asked { what, .. }) => self.asked(what, by),
            _ => "something it was not seen to ask".to_owned(),
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
        let text = self.batch(&transaction.batch);
        if by.is_some_and(|by| self.party(by) == sender) {
            text
        } else {
            format!("{text} of {sender}")
        }
    }

    fn batch(&self, batch: &Batch) -> String {
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
            Action::RevokeAccessGrant { id } => self.grant(*id),
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
        }
    }

    fn query(&self, query: &Query) -> String {
        let page = |name: &str, value: &Option<i64>| value.map(|value| format!("{name} {value}"));
        let arguments = match query {
            Query::GetUser {}
            | Query::GetWallets {}
            | Query::GetCredentials {}
            | Query::GetAttributes {}
            | Query::GetAccessGrantsOwned {} => String::new(),
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
