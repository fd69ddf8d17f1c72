//! Steps and faults of a plan in plain words.

use assay_model::actor::{
    ChainDeed, Conduct, Fidelity, GrantRef, Holding, Listing, Order, ParameterChange, Share, Shown,
    Sum, Task, Terms, Trade, Via, Writer,
};
use assay_model::bridge::Token;
use assay_model::chain::written;
use assay_model::disclosure::Criterion;
use assay_model::id::PartyId;
use assay_model::ledger::WalletType;
use assay_model::time::Millis;
use assay_scenarios::plan::{ClockError, Deed, Expect, FaultKind, NodeRef, Nodes, Plan, Ppm};

use crate::names::{count, few, lock, node_ref, party, second, short, user, whose};

/// What a step does: `alice revokes the grant on 4f1c.. to bank through n2`.
pub fn deed(plan: &Plan, deed: &Deed) -> String {
    match deed {
        Deed::Party(by, task) => task_text(plan, *by, task),
        Deed::AppointLeader(node) => format!("the operators appoint {node}"),
    }
}

fn task_text(plan: &Plan, by: PartyId, task: &Task) -> String {
    let mut text = format!("{} {}", party(plan, by), order(plan, by, &task.order));
    if task.wallet > 0 {
        text.push_str(&format!(" with wallet {}", task.wallet));
    }
    match task.via {
        Via::Any => {}
        Via::Node(node) => text.push_str(&format!(" through {node}")),
        Via::Gateway(id) => text.push_str(&format!(" through {}", party(plan, id))),
    }
    if let Some(oddity) = task.oddity {
        text.push_str(&format!(" ({})", oddity.name()));
    }
    text
}

/// What a parameter is to be.
fn change(change: &ParameterChange) -> String {
    match change {
        ParameterChange::Leader(node) => format!("{node} leads"),
        ParameterChange::JoinExpiry(seconds) => {
            format!(
                "requests to join stand {}",
                Millis::seconds(*seconds as u64)
            )
        }
        ParameterChange::MaxBlockSize(bytes) => format!("blocks have {bytes} bytes at most"),
        ParameterChange::MaxVotesPerTx(votes) => {
            format!("a transaction has {votes} votes at most")
        }
    }
}

/// What a party's wallet is, from 0; the usual thing where the plan does not know the wallet.
fn wallet_type(plan: &Plan, by: PartyId, wallet: u8) -> &'static str {
    let party = plan.parties.get(by.index());
    let kind = party.and_then(|party| party.wallets.get(usize::from(wallet)));
    kind.copied().unwrap_or(WalletType::EVM).name()
}

fn order(plan: &Plan, by: PartyId, order: &Order) -> String {
    let name = |id: &PartyId| party(plan, *id);
    let when = |yes: bool, text: &str| if yes { text.to_owned() } else { String::new() };
    match order {
        Order::Register { user } => format!("registers {}", name(user)),
        Order::Issue {
            user,
            credential,
            writer,
            bytes: _,
            forged,
            unsealed,
            findings,
        } => format!(
            "issues {} credential {}{}{}{}{}",
            name(user),
            short(credential.0),
            when(
                findings.about != *user,
                &format!(", which is about {}", name(&findings.about))
            ),
            match writer {
                Writer::User => "",
                Writer::InserterWithConsent => ", inserting it with consent",
                Writer::InserterAlone => ", inserting it without asking",
            },
            when(*forged, ", signed with a wrong key"),
            when(*unsealed, ", unsealed"),
        ),
        Order::Recognise { user, credential } => format!(
            "looks at the face of {} and says in credential {} who it is",
            name(user),
            short(credential.0)
        ),
        Order::SetStatus { credential, status } => {
            format!("sets credential {} to `{status}`", short(credential.0))
        }
        Order::DeclareKeyInvalid { from } => {
            format!(
                "declares its key invalid from {} on",
                second(plan.epoch, *from)
            )
        }
        Order::Overwrite { credential, user } => {
            format!(
                "overwrites credential {} in {}'s profile",
                short(credential.0),
                name(user)
            )
        }
        Order::Rekey { user, consent } => format!(
            "replaces {}'s encryption key {}",
            name(user),
            if *consent {
                "with consent"
            } else {
                "without asking"
            }
        ),
        Order::BindWallet { user } => {
            format!("binds a wallet of its own to {}'s profile", name(user))
        }
        Order::Share(share) => format!("shares {}", share_text(plan, share)),
        Order::Approve { request, share } => {
            format!(
                "approves request {} and shares {}",
                request.number,
                share_text(plan, share)
            )
        }
        Order::Deny { request, consumer } => {
            format!("denies request {} of {}", request.number, name(consumer))
        }
        Order::Withdraw { request } => format!("withdraws request {}", request.number),
        Order::UseGrant { grant } => format!("makes use of {}", grant_text(plan, grant)),
        Order::Pry { grant } => format!(
            "asks in every way whether {} is there",
            grant_text(plan, grant)
        ),
        Order::EndAccess { data, grantee } => format!(
            "ends all access of {} to credential {}",
            name(grantee),
            short(data.0)
        ),
        Order::RemoveWhenUnlocked { credential } => format!(
            "removes credential {} as soon as no lock keeps it",
            short(credential.0)
        ),
        Order::CancelDag { dag } => format!("cancels dAG {dag}"),
        Order::CancelDwg { id } => format!("cancels dWG {}", short(id.0)),
        Order::Dashboard => "looks at its dashboard".to_owned(),
        Order::ListRows { listing, rows: _ } => format!(
            "lists {}",
            match listing {
                Listing::Requests => "requests for access",
                Listing::Record => "the record of requests and grants",
                Listing::Remainders => "what locks keep of removed data",
            }
        ),
        Order::Filter { user, filter, .. } => {
            let all = |criteria: &[Criterion]| few(criteria.iter().map(ToString::to_string));
            format!(
                "has the enclave of {} pick by {} and omit by {}",
                name(user),
                all(&filter.pick),
                all(&filter.omit)
            )
        }
        Order::Ask {
            question,
            user,
            predicate,
            ..
        } => format!(
            "asks {} whether `{predicate}` (question {question})",
            name(user)
        ),
        Order::AskAgain { question } => format!("asks question {question} again"),
        Order::Answer {
            question,
            consumer,
            credential,
            repeated,
        } => format!(
            "lets question {question} of {} be answered {} from credential {}",
            name(consumer),
            if *repeated { "again and again" } else { "once" },
            short(credential.0)
        ),
        Order::Forbid { request, consumer } => format!(
            "has its enclave refuse request {request} of {}",
            name(consumer)
        ),
        Order::DenyQuestion { question, consumer } => {
            format!("denies {} an answer to question {question}", name(consumer))
        }
        Order::WithdrawAnswer { question } => {
            format!("lets question {question} be answered no more")
        }
        Order::PresentAnswer { question, to } => {
            format!("presents the answer to question {question} to {}", name(to))
        }
        Order::ReplaceAction { governed, on } => format!(
            "replaces the action that keeps `{}` with one that {}",
            governed.name(),
            if *on { "does" } else { "does not" }
        ),
        Order::ReadLog { .. } => "reads the log of changes".to_owned(),
        Order::JoinValidators { power } => format!("asks to join with a power of {power}"),
        Order::ApproveJoin { node } => format!("approves of {node} as a validator"),
        Order::RemoveValidator { node } => format!("votes to remove {node}"),
        Order::LeaveValidators => "leaves the validators".to_owned(),
        Order::Propose(proposal) => format!("proposes that {}", change(&proposal.change)),
        Order::WatchChain => "votes from now on for what the other chain confirms".to_owned(),
        Order::InventDeposit { of, token, amount } => format!(
            "votes for a deposit of {amount} {token} by {} that never was",
            name(of)
        ),
        Order::ApproveProposal(proposal) => {
            format!("approves that {}", change(&proposal.change))
        }
        Order::Revoke { grants } => {
            format!(
                "revokes {}",
                few(grants.iter().map(|grant| grant_text(plan, grant)))
            )
        }
        Order::Remove { credential } => format!("removes credential {}", short(credential.0)),
        Order::StoreAgain {
            issued,
            credential,
            resigned,
        } => {
            let how = when(*resigned, ", signed with a throw-away key");
            if issued == credential {
                format!(
                    "edits credential {} back to its first form{how}",
                    short(issued.0)
                )
            } else {
                format!(
                    "stores credential {} again as {}{how}",
                    short(issued.0),
                    short(credential.0)
                )
            }
        }
        Order::AddWallet {
            wallet,
            id: _,
            forged,
            replayed,
        } => format!(
            "adds its {} wallet {wallet}{}{}",
            wallet_type(plan, by, *wallet),
            when(*forged, " with a proof by another key"),
            when(*replayed, " with a used proof")
        ),
        Order::RemoveWallet { id, .. } => format!("removes wallet {}", short(id.0)),
        Order::StoreShares => "gives its password to the share nodes".to_owned(),
        Order::Recover => "gets its password back from the share nodes".to_owned(),
        Order::Unlock { wrong, salt } => format!(
            "types {} password{}",
            if *wrong { "a wrong" } else { "its" },
            match salt {
                Some(salt) => format!(", salted with `{salt}`"),
                None => String::new(),
            }
        ),
        Order::Rotate { inserter } => {
            format!("changes its password and key, through {}", name(inserter))
        }
        Order::Authorise { origin, each } => format!(
            "lets {} ask its enclave{}",
            name(origin),
            when(*each, ", one request at a time")
        ),
        Order::Allow { request, consumer } => {
            format!(
                "lets its enclave answer request {request} of {}",
                name(consumer)
            )
        }
        Order::AskEnclave {
            request,
            user,
            credential,
        } => format!(
            "asks the enclave of {} to show credential {} (request {request})",
            name(user),
            short(credential.0)
        ),
        Order::Guess { of } => format!("guesses the password of {}", name(of)),
        Order::Behave { conduct } => match conduct {
            Conduct::Honest => "does what it should".to_owned(),
            Conduct::Lying => "gives out another share than it was given".to_owned(),
            Conduct::RolledBack => "puts back what it kept before its last change".to_owned(),
        },
        Order::Erase => "erases its profile".to_owned(),
        Order::SignDag {
            dag,
            grant,
            owner,
            carrier,
            ..
        } => format!(
            "signs dAG {dag} in the name of {} for {} and hands it to {}",
            name(owner),
            grant_text(plan, grant),
            name(carrier)
        ),
        Order::SignDwg {
            dwg,
            grant,
            carrier,
            ..
        } => format!(
            "signs dWG {dwg} for {} and hands it to {}",
            grant_text(plan, grant),
            name(carrier)
        ),
        Order::WriteDwg { dwg, original, .. } => {
            format!("writes credential {} under dWG {dwg}", short(original.0))
        }
        Order::Describe { user, id, consent } => format!(
            "writes attribute {} into the profile of {}{}",
            short(id.0),
            name(user),
            when(*consent, " with consent")
        ),
        Order::AddAttribute { id, .. } => format!("stores attribute {}", short(id.0)),
        Order::EditAttribute { id } => format!("edits attribute {}", short(id.0)),
        Order::RemoveAttribute { id } => format!("removes attribute {}", short(id.0)),
        Order::ShareAttribute { id, original } => format!(
            "stores attribute {} as a copy of {}",
            short(id.0),
            short(original.0)
        ),
        Order::TransmitDag { dag } => format!("transmits dAG {dag}"),
        Order::ReadOwn { credential } => {
            format!(
                "reads credential {} as its owner would",
                short(credential.0)
            )
        }
        Order::List => "lists its credentials and grants".to_owned(),
        Order::Probe {
            of,
            wallet,
            shouted,
        } => {
            format!(
                "asks whether {} has a profile{}{}",
                name(of),
                when(*wallet > 0, &format!(" by its wallet {wallet}")),
                when(*shouted, ", in capitals")
            )
        }
        Order::Request {
            request,
            user,
            credential,
            locked_until,
            stands_until: _,
            terms,
            purpose,
        } => format!(
            "asks {} for access{}, {}{}, for `{purpose}` (request {})",
            name(user),
            credential.map_or_else(String::new, |id| format!(" to credential {}", short(id.0))),
            lock(plan.epoch, *locked_until),
            terms_text(plan, terms),
            request.number
        ),
        Order::Use {
            copy,
            owner,
            locked_until: _,
            posing_as,
            demands: _,
        } => {
            let posing = posing_as.map(|id| format!(" posing as {}", party(plan, id)));
            format!(
                "reads copy {} of {}{} and decides about it",
                short(copy.0),
                user(plan, *owner),
                posing.unwrap_or_default()
            )
        }
        Order::Rescind { copy } => format!("rescinds copy {}", short(copy.0)),
        Order::ListGranted {
            page,
            size,
            rows: _,
        } => {
            let argument = |name: &str, value: &Option<i64>| {
                value.map_or(format!("no {name}"), |value| format!("{name} {value}"))
            };
            format!(
                "lists the grants it received ({}, {})",
                argument("page", page),
                argument("size", size)
            )
        }
        Order::Admit { issuer } => format!("admits {}", name(issuer)),
        Order::Dismiss { issuer, shouted } => {
            format!(
                "dismisses {}{}",
                name(issuer),
                when(*shouted, ", in capitals")
            )
        }
        Order::Trade(trade) => trade_text(plan, by, trade),
        Order::OnChain(deed) => chain_text(plan, deed),
        Order::Reorganise { blocks, lose } => format!(
            "undoes its last {}{}",
            count((*blocks).into(), "block", "blocks"),
            when(*lose, ", losing what is in it")
        ),
        Order::FoundClub { club } => format!("founds club {}", short(club.0)),
        Order::JoinClub { club, peer } => {
            format!("makes {} a member of club {}", name(peer), short(club.0))
        }
        Order::LeaveClub { club, peer } => {
            format!(
                "ends the membership of {} in club {}",
                name(peer),
                short(club.0)
            )
        }
        Order::StoreCopy(share) => format!("stores without a grant {}", share_text(plan, share)),
        Order::Rely { dag, copy, on } => format!(
            "has {} vouch for copy {} under dAG {dag}, and relies on it",
            name(on),
            short(copy.0)
        ),
        Order::LeakSession { of, to } => {
            format!("lets {} have the session of {}", name(to), name(of))
        }
        Order::TurnAway { party, again } => format!(
            "{} what {} asks",
            if *again {
                "takes again"
            } else {
                "drops from now on"
            },
            name(party)
        ),
        Order::Audit { nodes, .. } => format!(
            "reads everything it ever could, at {}",
            few(nodes.iter().map(ToString::to_string))
        ),
    }
}

fn trade_text(plan: &Plan, by: PartyId, trade: &Trade) -> String {
    let name = |id: &PartyId| party(plan, *id);
    match trade {
        Trade::PayGas => "runs the action that costs gas".to_owned(),
        Trade::Spend { amount } => format!(
            "runs the action that costs IDOS, for {}",
            written(Token::Idos, *amount)
        ),
        Trade::SetFee {
            credential,
            fee,
            to,
        } => format!(
            "sets the price of credential {} to {} for {}",
            short(credential.0),
            written(Token::Usdc, *fee),
            name(to)
        ),
        Trade::PayFee { credential } => format!("pays for credential {}", short(credential.0)),
        Trade::WithdrawAll { token } => format!("withdraws all its {token}"),
        Trade::Withdraw { token, amount } => format!("withdraws {}", written(*token, *amount)),
        Trade::Transfer { token, to, amount } => {
            format!("gives {} to {}", written(*token, *amount), name(to))
        }
        Trade::Lock { token, amount } => {
            format!("gives {} to the network", written(*token, *amount))
        }
        Trade::Sweep { token, to } => {
            format!("withdraws the network's {token} to {}", name(to))
        }
        Trade::Look(Sum { what, amount }) => match what {
            Holding::Balance { token, of, wallet } => format!(
                "looks whether {} has {}{}",
                if *of == by { "it".to_owned() } else { name(of) },
                written(*token, *amount),
                if *wallet > 0 {
                    format!(" in wallet {wallet}")
                } else {
                    String::new()
                }
            ),
            Holding::Network { token } => {
                format!("looks whether the network has {}", written(*token, *amount))
            }
            Holding::Allowance => {
                format!(
                    "looks whether its free gas is {}",
                    written(Token::Idos, *amount)
                )
            }
            Holding::Fee { credential } => format!(
                "looks whether credential {} costs {}",
                short(credential.0),
                written(Token::Usdc, *amount)
            ),
        },
        Trade::Claims { token, of, amount } => format!(
            "looks whether {} can claim {}",
            if *of == by { "it".to_owned() } else { name(of) },
            written(*token, *amount)
        ),
    }
}

fn chain_text(plan: &Plan, deed: &ChainDeed) -> String {
    match deed {
        ChainDeed::Approve { spender, amount } => format!(
            "allows {} to take {amount} {}",
            spender.name(),
            spender.token()
        ),
        ChainDeed::Send { token, to, amount } => {
            format!("sends {amount} {token} to {}", party(plan, *to))
        }
        ChainDeed::FundRewards { amount } => format!("pays in {amount} IDOS for rewards"),
        ChainDeed::Stake { of, node, amount } => format!(
            "stakes {amount} IDOS{} behind {node}",
            of.map_or(String::new(), |of| format!(" of {}", party(plan, of)))
        ),
        ChainDeed::Unstake { node, amount } => format!("unstakes {amount} IDOS from {node}"),
        ChainDeed::WithdrawUnstaked => "withdraws what it unstaked".to_owned(),
        ChainDeed::WithdrawReward => "withdraws its rewards".to_owned(),
        ChainDeed::AllowNode { node } => format!("lets tokens be staked behind {node}"),
        ChainDeed::DisallowNode { node } => {
            format!("lets no more tokens be staked behind {node}")
        }
        ChainDeed::Slash { node, shown } => format!(
            "slashes {node}, showing {}",
            match shown {
                Shown::Nothing => "nothing",
                Shown::OneVote => "one vote twice",
                Shown::TwoVotes => "two votes on one ballot",
            }
        ),
        ChainDeed::WithdrawSlashed => "withdraws what was slashed".to_owned(),
        ChainDeed::SetReward { amount } => format!("sets the reward of a day to {amount} IDOS"),
        ChainDeed::Pause { on: true } => "stops the staking contract".to_owned(),
        ChainDeed::Pause { on: false } => "lets the staking contract go on".to_owned(),
        ChainDeed::Deposit { token, amount } => format!("deposits {amount} {token}"),
        ChainDeed::PostRoot {
            token,
            signers,
            forged,
        } => {
            let root = if *forged { "a forged root" } else { "the root" };
            let names: Vec<String> = signers.iter().map(|signer| party(plan, *signer)).collect();
            let others = match names.is_empty() {
                true => String::new(),
                false => format!(" with {}", names.join(" and ")),
            };
            format!("signs{others} and posts {root} of an epoch of {token}")
        }
        ChainDeed::Claim { token, of, again } => format!(
            "claims{} what {} withdrew of {token}",
            if *again { " once more" } else { "" },
            party(plan, *of)
        ),
    }
}

fn share_text(plan: &Plan, share: &Share) -> String {
    format!(
        "credential {} with {} as copy {}, {}{}{}{}",
        short(share.original.0),
        party(plan, share.to),
        short(share.copy.0),
        lock(plan.epoch, share.locked_until),
        if share.in_millis {
            ", in milliseconds"
        } else {
            ""
        },
        terms_text(plan, &share.terms),
        match share.fidelity {
            Fidelity::Faithful => "",
            Fidelity::Altered => ", altered",
            Fidelity::AlteredUnderOldHash => ", altered under the old hash",
            Fidelity::Borrowed => ", with somebody else's document",
            Fidelity::Garbage => ", with garbage in it",
            Fidelity::Tampered => ", changed after it was sealed",
            Fidelity::Misdirected => ", sealed to its own key",
        }
    )
}

/// How far access goes besides its lock, behind a comma; nothing where it is not limited.
fn terms_text(plan: &Plan, terms: &Terms) -> String {
    let end = terms
        .expires_at
        .map(|end| format!(", until {}", second(plan.epoch, end)));
    let uses = terms.uses.map(|uses| format!(", for {uses} uses"));
    let fields = terms.fields.as_ref();
    let fields = fields.map(|fields| format!(", only {fields}"));
    [end, uses, fields].into_iter().flatten().collect()
}

fn grant_text(plan: &Plan, grant: &GrantRef) -> String {
    format!(
        "the grant on {} to {}",
        short(grant.data.0),
        party(plan, grant.grantee)
    )
}

/// What a fault is: `crash of the leader`.
pub fn fault(plan: &Plan, kind: &FaultKind) -> String {
    match kind {
        FaultKind::Crash { node } => format!("crash of {}", node_ref(*node)),
        FaultKind::Split { sides } => {
            let sides: Vec<String> = sides
                .iter()
                .map(|side| {
                    let names: Vec<String> = side.iter().map(ToString::to_string).collect();
                    names.join(" ")
                })
                .collect();
            format!("split {}", sides.join(" | "))
        }
        FaultKind::Isolate { node } => format!("isolation of {}", node_ref(*node)),
        FaultKind::SplitLeader { majority } => format!(
            "split with the leader on the {} side",
            if *majority { "larger" } else { "smaller" }
        ),
        FaultKind::OneWay { from, to } => {
            format!("loss of everything {}", link(*from, *to))
        }
        FaultKind::Lossy { loss } => format!("loss of {} of all messages", percent(*loss)),
        FaultKind::Slow { delay } => format!("delay of all messages by {delay}"),
        FaultKind::Offline { party: id } => format!("absence of {}", party(plan, *id)),
        FaultKind::Clock(clock) => clock_text(plan, clock),
        FaultKind::Stop { node } => format!("orderly stop of {}", node_ref(*node)),
        FaultKind::Pause { node } => format!("pause of {}", node_ref(*node)),
        FaultKind::Wipe { node } => format!("loss of the disk of {}", node_ref(*node)),
        FaultKind::RollBack { node } => {
            format!("return of {} to an older copy of its disk", node_ref(*node))
        }
        FaultKind::Stall { from, to } => format!("stall {}", link(*from, *to)),
        FaultKind::Refuse { from, to } => format!("refusal of everything {}", link(*from, *to)),
        FaultKind::Reset { from, to } => format!("broken connection {}", link(*from, *to)),
        FaultKind::LostReply { party: id, of } => format!(
            "loss of the answers of {} to transactions of {}",
            match of {
                Nodes::All => "every node".to_owned(),
                Nodes::Only(node) => node_ref(*node),
            },
            party(plan, *id)
        ),
        FaultKind::DuplicatedRequest { party: id } => {
            format!("second arrival of every request of {}", party(plan, *id))
        }
        FaultKind::SlowClients { delay } => format!("delay of requests and answers by {delay}"),
        FaultKind::SlippedIn { party: id } => {
            format!(
                "erasure of {} that the leader slips in unsigned",
                party(plan, *id)
            )
        }
        FaultKind::ForgedQuorum { node } => format!("votes of {} that it repeats", node_ref(*node)),
        FaultKind::Omitted { party: id } => format!(
            "transactions of {} that the leader leaves out",
            party(plan, *id)
        ),
        FaultKind::AlteredRow { node, party: id } => {
            format!(
                "alteration of the row of {} on {}",
                party(plan, *id),
                node_ref(*node)
            )
        }
    }
}

fn link(from: NodeRef, to: NodeRef) -> String {
    format!("from {} to {}", node_ref(from), node_ref(to))
}

fn clock_text(plan: &Plan, clock: &ClockError) -> String {
    let ClockError {
        whose: owner,
        offset,
        drift,
    } = clock;
    let mut text = format!("clock of {} off by {offset} ms", whose(plan, *owner));
    if *drift != 0 {
        text.push_str(&format!(", gaining {drift} ppm"));
    }
    text
}

/// Parts per million with as many decimals as they need: `2.5%`.
fn percent(Ppm(parts): Ppm) -> String {
    let decimals = format!("{:04}", parts % 10_000);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals}%", parts / 10_000)
}

/// As it stands behind `expect` in a scenario.
pub fn expect(expect: Expect) -> String {
    match expect {
        Expect::Ending(ending) => ending.to_string(),
        Expect::Anything => "anything".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_per_million_read_as_percent() {
        for (parts, text) in [(0, "0%"), (10_000, "1%"), (25_000, "2.5%"), (1, "0.0001%")] {
            assert_eq!(percent(Ppm(parts)), text);
        }
    }
}
