//! What people do.

use std::ops::Range;

use assay_model::actor::{
    Conduct, Demands, Fidelity, Findings, GrantRef, Listing, Oddity, Order, ParameterChange,
    Proposal, RequestRef, Share, Task, Terms, Via, Writer,
};
use assay_model::disclosure::{Criterion, Filter};
use assay_model::history::{Ending, Role};
use assay_model::id::{AttributeId, ClubId, NodeId, PartyId};
use assay_model::ledger::Governed;
use assay_model::time::Millis;
use assay_model::vc::{Country, Level};

use super::alias::{Kind, Row, Value};
use super::cast::{OPERATORS, called, is_node_name};
use super::{Resolver, defaults, ids, list, said};
use crate::file::{self, Amount, At};
use crate::names::suggest;
use crate::plan::{Deed, Expect, Step};
use crate::requirements::default_requirements;
use crate::verb::{Verb, Who, chain_verbs, trade_verbs};
use crate::{shape, units};

/// The step at hand.
#[derive(Debug)]
pub(super) struct Here {
    /// Place in order of time.
    pub(super) order: usize,
    /// Nothing when the file does not say it well.
    pub(super) at: Option<Millis>,
    pub(super) verb: Verb,
    pub(super) by: Option<PartyId>,
    /// Where the verb stands.
    pub(super) place: Range<usize>,
    /// Whether it lost a key to an error reported already.
    damaged: bool,
}

/// A time that counts from the step or from the beginning.
type Lock<'a> = [(&'static str, &'a Option<At<String>>); 2];

impl Resolver<'_> {
    /// The steps in order of time, each with the place of its `at`.
    pub(super) fn steps(&mut self, steps: &[At<file::Step>]) -> Vec<(Step, Range<usize>)> {
        let mut timed: Vec<(Option<Millis>, &At<file::Step>)> = Vec::new();
        for step in steps {
            let at = step.get().at.as_ref();
            timed.push((at.and_then(|at| self.duration("at", at)), step));
        }
        timed.sort_by_key(|(at, _)| *at);
        let mut heres = Vec::new();
        for (order, (at, step)) in timed.into_iter().enumerate() {
            if let Some(here) = self.here(order, at, step) {
                heres.push((here, step));
            }
        }
        // Duplicates are told in the order of the file: the one that stands later is the second.
        let mut by_place: Vec<&(Here, &At<file::Step>)> = heres.iter().collect();
        by_place.sort_by_key(|(_, step)| step.span().start);
        for step in steps {
            // What a step with an unknown verb makes is not known; using it is not a problem of its own.
            if let (Some(act), Some(alias)) = (&step.get().act, &step.get().alias)
                && Verb::parse(act.get()).is_none()
            {
                self.aliases.lost.insert(alias.get().clone());
            }
        }
        for (here, step) in by_place {
            if let Some(alias) = &step.get().alias {
                self.announce(here, alias);
            }
        }
        for (here, step) in &heres {
            if let (Verb::AddWallet, Some(alias)) = (here.verb, &step.get().alias)
                && !said(&step.get().replayed)
            {
                self.announce_wallet(here, alias, &step.get().kind);
            }
        }
        let mut done = Vec::new();
        for (here, step) in &heres {
            let place = step.get().at.as_ref().map_or(step.span(), At::span);
            if let Some(step) = self.step(here, step) {
                done.push((step, place));
            }
        }
        done
    }

    /// What is known of a step before any is resolved; nothing when its verb is not known.
    fn here(&mut self, order: usize, at: Option<Millis>, step: &At<file::Step>) -> Option<Here> {
        let act = step.get().act.as_ref()?;
        let Some(verb) = Verb::parse(act.get()) else {
            self.unknown(act, "verb", "no such verb", Verb::NAMES);
            return None;
        };
        let by = step.get().by.as_ref();
        Some(Here {
            order,
            at,
            verb,
            by: by.and_then(|by| self.actor(verb, by)),
            place: act.span(),
            damaged: self.damaged.contains(&step.span().start),
        })
    }

    /// Who takes a step; nothing for the operators, who are no party.
    fn actor(&mut self, verb: Verb, by: &At<String>) -> Option<PartyId> {
        let name = by.get();
        if matches!(verb.who(), Who::Operator | Who::Anyone) && is_node_name(name) {
            return self.operator(by);
        }
        let operators = name == OPERATORS;
        let found = self.cast.find(name);
        let is = match found {
            _ if operators => "",
            Some(id) => called(self.cast.party(id).role),
            None => {
                let mut known = self.cast.names(|_| true);
                known.push(OPERATORS.to_owned());
                self.unknown(by, "actor", "nobody takes part under this name", &known);
                return None;
            }
        };
        let role = found.map(|id| self.cast.party(id).role);
        let (may, who, able) = match verb.who() {
            Who::In(one) => (role == Some(one), called(one), self.with(one)),
            Who::Operators => (operators, "the operators", vec![OPERATORS.to_owned()]),
            Who::Operator => {
                let nodes = (0..self.nodes).map(|place| NodeId(place).to_string());
                (false, "the operator of a node", nodes.collect())
            }
            Who::Anyone => (
                !operators && role != Some(Role::Chain),
                "an actor",
                self.cast.names(|party| party.role != Role::Chain),
            ),
        };
        if !may {
            let able: Vec<&str> = able.iter().map(String::as_str).collect();
            let message = match operators {
                true => format!("`{}` is for {who}, and the operators are none", verb.name()),
                false => format!("`{}` is for {who}, and `{name}` is {is}", verb.name()),
            };
            self.complain(by, message, format!("not {who}"))
                .advise(suggest("", &able));
            return None;
        }
        found
    }

    fn with(&self, role: Role) -> Vec<String> {
        self.cast.names(|party| party.role == role)
    }

    fn step(&mut self, here: &Here, step: &At<file::Step>) -> Option<Step> {
        let line = self.line(&step.span());
        let file = step.get();
        self.foreign_keys(here, file);
        let expect = self.or(&file.expect, defaults::EXPECT, Self::expect);
        let shows = file.shows.as_ref().map(|ids| self.requirements(ids.get()));
        let deed = match here.verb {
            Verb::AppointLeader => {
                let node = self.need(here, "node", &file.node);
                node.and_then(|node| self.node(node))
                    .map(Deed::AppointLeader)
            }
            _ => self.task(here, file, expect),
        };
        let expect = expect?;
        Some(Step {
            at: here.at?,
            deed: deed?,
            expect,
            shows: shows.unwrap_or_else(|| default_requirements(here.verb, expect).to_vec()),
            line,
        })
    }

    fn task(&mut self, here: &Here, file: &file::Step, expect: Option<Expect>) -> Option<Deed> {
        // Operators have a node of their own.
        let operated = here.by.map(|by| self.cast.party(by));
        let usual = match operated.filter(|party| party.role == Role::Operator) {
            Some(party) => Via::Node(party.node),
            None => Via::Any,
        };
        let via = self.or(&file.via, usual, |this, through| {
            // A node's operator is called as the node is.
            let named = this.cast.find(through.get());
            match named.map(|id| this.cast.party(id).role) {
                None | Some(Role::Operator) => this.node(through).map(Via::Node),
                Some(_) => this.role(through, Role::Gateway).map(Via::Gateway),
            }
        });
        let wallet = self.or(&file.wallet, 0, |this, name| {
            this.wallet(here, here.by?, name).map(|(index, _)| index)
        });
        let patience = self.or(&file.patience, defaults::PATIENCE, |this, text| {
            this.positive("patience", text)
        });
        let oddity = self.or(&file.oddly, None, |this, word| {
            let place = this.word(word, "oddity", Oddity::NAMES)?;
            Some(Some(Oddity::ALL[place]))
        });
        let order = self.order(here, file, expect);
        let task = Task {
            order: order?,
            via: via?,
            wallet: wallet?,
            patience: patience?.0,
            oddity: oddity?,
        };
        Some(Deed::Party(here.by?, task))
    }

    /// Keys that other verbs know and this one does not.
    fn foreign_keys(&mut self, here: &Here, file: &file::Step) {
        let known = shape::step_fields(here.verb);
        let name = here.verb.name();
        let foreign = file
            .given()
            .into_iter()
            .filter(|(key, _)| !known.contains(key));
        for (key, span) in foreign {
            self.complain_at(
                span,
                format!("`{name}` takes no `{key}`"),
                "not for this verb",
            )
            .advise(suggest(key, &known));
        }
    }

    /// A key this verb cannot do without.
    pub(super) fn need<'s, T>(
        &mut self,
        here: &Here,
        key: &'static str,
        value: &'s Option<At<T>>,
    ) -> Option<&'s At<T>> {
        if value.is_none() && !here.damaged {
            let verb = here.verb;
            let message = format!("`{}` lacks `{key}`", verb.name());
            self.complain_at(here.place.clone(), message, format!("needs `{key}`"))
                .advise(suggest("", &shape::step_fields(verb)));
        }
        value.as_ref()
    }

    /// The one of two keys that is given, by its place.
    fn either<'s>(
        &mut self,
        here: &Here,
        [(first, a), (second, b)]: [(&'static str, &'s Option<At<String>>); 2],
    ) -> Option<(usize, &'s At<String>)> {
        match (a, b) {
            (Some(a), None) => Some((0, a)),
            (None, Some(b)) => Some((1, b)),
            (Some(a), Some(b)) => {
                self.complain(
                    b,
                    format!("`{first}` and `{second}` exclude each other"),
                    "the second",
                )
                .also(a.span(), "the first");
                None
            }
            (None, None) => {
                if !here.damaged {
                    let message = format!("`{}` lacks `{first}` or `{second}`", here.verb.name());
                    self.complain_at(here.place.clone(), message, "needs one of them");
                }
                None
            }
        }
    }

    fn order(&mut self, here: &Here, file: &file::Step, expect: Option<Expect>) -> Option<Order> {
        match here.verb {
            Verb::Register => {
                let user = self.needed_user(here, "user", &file.user)?;
                Some(Order::Register { user })
            }
            Verb::Issue => self.issue(here, file),
            Verb::Recognise => {
                let user = self.needed_user(here, "to", &file.to);
                let alias = self.need(here, "as", &file.alias)?;
                let row = Row {
                    id: ids::credential(&self.told_as, alias.get()),
                    owner: user?,
                };
                self.aliases.fill(here, alias, Value::Credential(row));
                Some(Order::Recognise {
                    user: row.owner,
                    credential: row.id,
                })
            }
            Verb::SetStatus => {
                let row = self.needed_credential(here, &file.credential);
                let status = self.need(here, "status", &file.status);
                let status = status.and_then(|status| self.not_empty("status", status));
                Some(Order::SetStatus {
                    credential: row?.id,
                    status: status?,
                })
            }
            Verb::DeclareKeyInvalid => {
                let from = self.duration_or("from", &file.from, here.at?);
                Some(Order::DeclareKeyInvalid {
                    from: self.second(from?),
                })
            }
            Verb::Overwrite => {
                let row = self.row(here, file);
                let user = match &file.user {
                    Some(user) => self.role(user, Role::User),
                    None => row.map(|row| row.owner),
                };
                Some(Order::Overwrite {
                    credential: row?.id,
                    user: user?,
                })
            }
            Verb::Rekey => Some(Order::Rekey {
                user: self.needed_user(here, "user", &file.user)?,
                consent: said(&file.consent),
            }),
            Verb::BindWallet => {
                let user = self.needed_user(here, "user", &file.user)?;
                Some(Order::BindWallet { user })
            }
            Verb::Share => self.share(here, file).map(Order::Share),
            Verb::Approve => self.approve(here, file),
            Verb::Deny => self.deny(here, file),
            Verb::Withdraw => {
                let (request, ..) = self.request(here, file)?;
                Some(Order::Withdraw { request })
            }
            Verb::UseGrant => {
                let grant = self.need(here, "grant", &file.grant)?;
                let (_, grant) = self.grant(here, grant)?;
                Some(Order::UseGrant { grant })
            }
            Verb::Pry => {
                let grant = self.need(here, "grant", &file.grant)?;
                let (_, grant) = self.grant(here, grant)?;
                Some(Order::Pry { grant })
            }
            Verb::EndAccess => {
                let row = self.row(here, file);
                let of = self.need(here, "of", &file.of)?;
                Some(Order::EndAccess {
                    data: row?.id,
                    grantee: self.party(of)?,
                })
            }
            Verb::CancelPaper => self.cancel_paper(here, file),
            Verb::Dashboard => Some(Order::Dashboard),
            Verb::ListRemainders => self.list_rows(here, file, Listing::Remainders, expect),
            Verb::ListRequests => self.list_rows(here, file, Listing::Requests, expect),
            Verb::ReadRecord => self.list_rows(here, file, Listing::Record, expect),
            Verb::Filter => self.filter(here, file),
            Verb::Ask => self.ask_question(here, file),
            Verb::AskAgain => {
                let (question, _) = self.question(here, file)?;
                Some(Order::AskAgain { question })
            }
            Verb::Answer => {
                let question = self.question(here, file);
                let row = self.needed_credential(here, &file.credential);
                let (question, consumer) = question?;
                Some(Order::Answer {
                    question,
                    consumer,
                    credential: row?.id,
                    repeated: said(&file.repeated),
                })
            }
            Verb::WithdrawAnswer => {
                let (question, _) = self.question(here, file)?;
                Some(Order::WithdrawAnswer { question })
            }
            Verb::PresentAnswer => {
                let question = self.question(here, file);
                let to = match &file.to {
                    Some(to) => self.role(to, Role::Consumer),
                    None => here.by,
                };
                Some(Order::PresentAnswer {
                    question: question?.0,
                    to: to?,
                })
            }
            Verb::Revoke => self.revoke(here, file),
            Verb::Remove => {
                let credential = self.row(here, file)?.id;
                Some(Order::Remove { credential })
            }
            Verb::RemoveWhenUnlocked => {
                let credential = self.row(here, file)?.id;
                Some(Order::RemoveWhenUnlocked { credential })
            }
            Verb::StoreAgain => self.store_again(here, file),
            Verb::AddWallet => {
                let alias = self.need(here, "as", &file.alias)?;
                if let (true, Some(kind)) = (said(&file.replayed), &file.kind) {
                    let message = "a replayed proof is of a wallet that is there already";
                    self.complain(kind, message.to_owned(), "said where it is first added");
                    return None;
                }
                let (wallet, id) = self.added_wallet(here, alias, said(&file.replayed))?;
                Some(Order::AddWallet {
                    wallet,
                    id,
                    forged: said(&file.forged),
                    replayed: said(&file.replayed),
                })
            }
            Verb::RemoveWallet => {
                let which = self.need(here, "which", &file.which)?;
                let (wallet, id) = self.wallet(here, here.by?, which)?;
                Some(Order::RemoveWallet { wallet, id })
            }
            Verb::StoreShares => Some(Order::StoreShares),
            Verb::Recover => Some(Order::Recover),
            Verb::Unlock => Some(Order::Unlock {
                wrong: said(&file.wrong),
                salt: file.salt.as_ref().map(|salt| salt.get().clone()),
            }),
            Verb::Rotate => {
                let inserter = self.need(here, "issuer", &file.issuer)?;
                let inserter = self.role(inserter, Role::Issuer)?;
                Some(Order::Rotate { inserter })
            }
            Verb::Authorise => {
                let to = self.need(here, "to", &file.to)?;
                Some(Order::Authorise {
                    origin: self.party(to)?,
                    each: said(&file.each),
                })
            }
            Verb::Allow => {
                let name = self.need(here, "request", &file.request)?;
                let (request, consumer) = self.disclosure(here, name)?;
                Some(Order::Allow { request, consumer })
            }
            Verb::Guess => {
                let of = self.needed_user(here, "of", &file.of)?;
                Some(Order::Guess { of })
            }
            Verb::AskEnclave => self.ask_enclave(here, file),
            Verb::Behave => {
                let word = self.need(here, "conduct", &file.conduct)?;
                let conducts = [Conduct::Honest, Conduct::Lying, Conduct::RolledBack];
                let place = self.word(word, "conduct", file::CONDUCTS)?;
                Some(Order::Behave {
                    conduct: conducts[place],
                })
            }
            Verb::Erase => Some(Order::Erase),
            Verb::SignDag => self.sign_dag(here, file),
            Verb::SignDwg => self.sign_dwg(here, file),
            Verb::WriteDwg => self.write_dwg(here, file),
            Verb::Describe => {
                let user = self.needed_user(here, "user", &file.user);
                let id = self.new_attribute(here, file)?;
                Some(Order::Describe {
                    user: user?,
                    id,
                    consent: said(&file.consent),
                })
            }
            Verb::AddAttribute => {
                let id = self.new_attribute(here, file)?;
                let bytes = self.or(&file.size, None, |this, size| this.bytes(size).map(Some));
                Some(Order::AddAttribute { id, bytes: bytes? })
            }
            Verb::EditAttribute => {
                let id = self.needed_attribute(here, file)?;
                Some(Order::EditAttribute { id })
            }
            Verb::RemoveAttribute => {
                let id = self.needed_attribute(here, file)?;
                Some(Order::RemoveAttribute { id })
            }
            Verb::ShareAttribute => {
                let original = self.needed_attribute(here, file);
                let id = self.new_attribute(here, file)?;
                Some(Order::ShareAttribute {
                    id,
                    original: original?,
                })
            }
            Verb::TransmitDag => {
                let dag = self.need(here, "dag", &file.dag)?;
                match self.named(here, dag, Kind::Dag)? {
                    Value::Dag(dag, _, _) => Some(Order::TransmitDag { dag }),
                    other => unreachable!("a dag's name stands for {other:?}"),
                }
            }
            Verb::ReadOwn => {
                let credential = self.row(here, file)?.id;
                Some(Order::ReadOwn { credential })
            }
            Verb::List => Some(Order::List),
            Verb::Probe => {
                let of = self.need(here, "of", &file.of)?;
                let of = self.party(of)?;
                let wallet = self.or(&file.which, 0, |this, name| {
                    this.wallet(here, of, name).map(|(index, _)| index)
                });
                Some(Order::Probe {
                    of,
                    wallet: wallet?,
                    shouted: said(&file.shouted),
                })
            }
            Verb::Request => self.ask(here, file),
            Verb::Use => self.use_copy(here, file),
            Verb::Rescind => {
                let copy = self.need(here, "copy", &file.copy)?;
                let (row, _) = self.grant(here, copy)?;
                Some(Order::Rescind { copy: row.id })
            }
            Verb::ListGranted => self.list_granted(here, file, expect),
            trade_verbs!() => self.trade(here, file).map(Order::Trade),
            Verb::Admit => {
                let issuer = self.need(here, "issuer", &file.issuer)?;
                let issuer = self.role(issuer, Role::Issuer)?;
                Some(Order::Admit { issuer })
            }
            Verb::Dismiss => {
                let issuer = self.need(here, "issuer", &file.issuer)?;
                Some(Order::Dismiss {
                    issuer: self.role(issuer, Role::Issuer)?,
                    shouted: said(&file.shouted),
                })
            }
            chain_verbs!() => self.on_chain(here, file),
            Verb::FoundClub => {
                let alias = self.need(here, "as", &file.alias)?;
                let club = ids::club(&self.told_as, alias.get());
                self.aliases.fill(here, alias, Value::Club(club));
                Some(Order::FoundClub { club })
            }
            Verb::JoinClub => {
                let (club, peer) = self.membership(here, file)?;
                Some(Order::JoinClub { club, peer })
            }
            Verb::LeaveClub => {
                let (club, peer) = self.membership(here, file)?;
                Some(Order::LeaveClub { club, peer })
            }
            Verb::StoreCopy => self.share(here, file).map(Order::StoreCopy),
            Verb::Rely => {
                let dag = self.need(here, "dag", &file.dag);
                let on = self.need(here, "on", &file.on);
                let on = on.and_then(|on| self.party(on));
                match self.named(here, dag?, Kind::Dag)? {
                    Value::Dag(dag, row, _) => Some(Order::Rely {
                        dag,
                        copy: row.id,
                        on: on?,
                    }),
                    other => unreachable!("a dag's name stands for {other:?}"),
                }
            }
            Verb::LeakSession => {
                let of = self.need(here, "of", &file.of);
                let of = of.and_then(|of| self.party(of));
                let to = self.need(here, "to", &file.to);
                let to = to.and_then(|to| self.party(to));
                Some(Order::LeakSession { of: of?, to: to? })
            }
            Verb::TurnAway => {
                let party = self.need(here, "party", &file.party)?;
                Some(Order::TurnAway {
                    party: self.party(party)?,
                    again: said(&file.again),
                })
            }
            Verb::ReplaceAction => {
                let rule = self.need(here, "rule", &file.rule);
                let position = self.need(here, "position", &file.position);
                let governed = rule.and_then(|rule| self.word(rule, "rule", &file::governed()));
                let on = position.and_then(|word| self.word(word, "position", file::POSITIONS));
                Some(Order::ReplaceAction {
                    governed: Governed::ALL[governed?].0,
                    on: on? == 0,
                })
            }
            Verb::ReadLog => {
                let size = self.page_size(file);
                let rows = self.or(&file.rows, None, |this, rows| {
                    this.row_count(rows).map(Some)
                });
                Some(Order::ReadLog {
                    page: file.page.as_ref().map(|page| *page.get()),
                    size: size?,
                    rows: rows?,
                })
            }
            Verb::JoinValidators => {
                let power = self.or(&file.power, 1, |this, power| {
                    this.above_zero(power, "a validator has a power of 1 at least", "too little")
                });
                Some(Order::JoinValidators { power: power? })
            }
            Verb::ApproveJoin => {
                let node = self.need(here, "node", &file.node)?;
                let node = self.node(node)?;
                Some(Order::ApproveJoin { node })
            }
            Verb::RemoveValidator => {
                let node = self.need(here, "node", &file.node)?;
                let node = self.node(node)?;
                Some(Order::RemoveValidator { node })
            }
            Verb::LeaveValidators => Some(Order::LeaveValidators),
            Verb::Propose => self.propose(here, file).map(Order::Propose),
            Verb::ApproveProposal => {
                let proposal = self.need(here, "proposal", &file.proposal)?;
                match self.named(here, proposal, Kind::Proposal)? {
                    Value::Proposal(proposal) => Some(Order::ApproveProposal(proposal)),
                    other => unreachable!("a proposal's name stands for {other:?}"),
                }
            }
            Verb::AppointLeader => unreachable!("appointing is no task of a party"),
        }
    }

    fn propose(&mut self, here: &Here, file: &file::Step) -> Option<Proposal> {
        let alias = self.need(here, "as", &file.alias);
        let parameter = self.need(here, "parameter", &file.parameter);
        let parameter = parameter.and_then(|word| self.word(word, "parameter", file::PARAMETERS));
        let value = self.need(here, "value", &file.value)?;
        let change = match (parameter?, value.get()) {
            (0, Amount::Text(node)) => {
                let node = self.node(&file::at(node.clone(), value.span()))?;
                ParameterChange::Leader(node)
            }
            (1, Amount::Text(text)) => {
                let text = file::at(text.clone(), value.span());
                let expiry = self.positive("value", &text)?;
                ParameterChange::JoinExpiry((expiry.0 / 1_000) as i64)
            }
            (2, _) => ParameterChange::MaxBlockSize(self.bytes(value)?.into()),
            (3, Amount::Number(number)) if *number > 0 => ParameterChange::MaxVotesPerTx(*number),
            _ => {
                let message = "the parameter cannot have this value".to_owned();
                self.complain(value, message, "not of its kind").advise(
                    "a leader is a node, an expiry a duration, a block's size a size, and votes a number",
                );
                return None;
            }
        };
        let proposal = Proposal {
            number: here.order as u32,
            change,
        };
        let alias = alias?;
        self.aliases.fill(here, alias, Value::Proposal(proposal));
        Some(proposal)
    }

    fn issue(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let user = self.needed_user(here, "to", &file.to);
        let alias = self.need(here, "as", &file.alias);
        let writer = self.or(&file.how, defaults::WRITER, |this, how| {
            let writers = [
                Writer::User,
                Writer::InserterWithConsent,
                Writer::InserterAlone,
            ];
            this.word(how, "way to write", file::WRITERS)
                .map(|place| writers[place])
        });
        let bytes = self.or(&file.size, defaults::BYTES, Self::bytes);
        let findings = self.findings(file, user);
        let (user, alias) = (user?, alias?);
        let credential = ids::credential(&self.told_as, alias.get());
        let row = Row {
            id: credential,
            owner: user,
        };
        self.aliases.fill(here, alias, Value::Credential(row));
        Some(Order::Issue {
            user,
            credential,
            writer: writer?,
            bytes: bytes?,
            forged: said(&file.forged),
            unsealed: said(&file.unsealed),
            findings: findings?,
        })
    }

    /// What the issuer finds out about a user.
    fn findings(&mut self, file: &file::Step, user: Option<PartyId>) -> Option<Findings> {
        let about = match &file.about {
            Some(about) => self.role(about, Role::User),
            None => user,
        };
        let usual = Findings::usual(about?);
        let country = self.or(&file.country, usual.country, |this, country| {
            let parsed = country.get().parse::<Country>().map(|it| it.to_string());
            this.parsed("country", country, parsed, "it is not two capital letters")
        });
        let level = self.or(&file.level, usual.level, Self::level);
        let expires = self.or(&file.expires, usual.expires, |this, text| {
            let end = this.duration("expires", text)?;
            Some(this.second(end))
        });
        Some(Findings {
            country: country?,
            level: level?,
            expires: expires?,
            about: usual.about,
        })
    }

    fn membership(&mut self, here: &Here, file: &file::Step) -> Option<(ClubId, PartyId)> {
        let club = self.need(here, "club", &file.club);
        let party = self.need(here, "party", &file.party);
        let party = party.and_then(|party| self.party(party));
        match self.named(here, club?, Kind::Club)? {
            Value::Club(club) => Some((club, party?)),
            other => unreachable!("a club's name stands for {other:?}"),
        }
    }

    fn level(&mut self, level: &At<String>) -> Option<Level> {
        let parsed = level.get().parse::<Level>();
        let why = parsed.as_ref().err().map(ToString::to_string);
        self.parsed("level", level, parsed, &why.unwrap_or_default())
    }

    /// What a text was read as, or a complaint.
    fn parsed<T, E>(
        &mut self,
        key: &str,
        text: &At<String>,
        parsed: Result<T, E>,
        why: &str,
    ) -> Option<T> {
        if parsed.is_err() {
            let message = format!("`{key}` cannot be `{}`", text.get());
            self.complain(text, message, why);
        }
        parsed.ok()
    }

    fn criterion(&mut self, key: &str, text: &At<String>) -> Option<Criterion> {
        let parsed = text.get().parse::<Criterion>();
        let why = parsed.as_ref().err().map(ToString::to_string);
        self.parsed(key, text, parsed, &why.unwrap_or_default())
    }

    fn criteria(
        &mut self,
        key: &str,
        texts: &Option<At<Vec<At<String>>>>,
    ) -> Option<Vec<Criterion>> {
        let parsed: Vec<_> = list(texts)
            .iter()
            .map(|text| self.criterion(key, text))
            .collect();
        parsed.into_iter().collect()
    }

    fn filter(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let user = self.needed_user(here, "of", &file.of);
        let pick = self.criteria("pick", &file.pick);
        let omit = self.criteria("omit", &file.omit);
        let matches: Vec<_> = list(&file.matches)
            .iter()
            .map(|name| self.credential(here, name).map(|row| row.id))
            .collect();
        Some(Order::Filter {
            user: user?,
            filter: Filter {
                pick: pick?,
                omit: omit?,
            },
            matches: matches.into_iter().collect::<Option<_>>()?,
        })
    }

    /// Questions and requests count together: a denial names either.
    fn ask_question(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let user = self.needed_user(here, "of", &file.of);
        let alias = self.need(here, "as", &file.alias);
        let predicate = self.need(here, "predicate", &file.predicate);
        let predicate = predicate.and_then(|text| self.criterion("predicate", text));
        let usual = here.at? + defaults::ANSWER;
        let expires = self.duration_or("expires", &file.expires, usual);
        let (alias, consumer) = (alias?, here.by?);
        let number = self.aliases.next_request();
        let value = Value::Question { number, consumer };
        self.aliases.fill(here, alias, value);
        Some(Order::Ask {
            question: number,
            user: user?,
            predicate: predicate?,
            expires: self.second(expires?),
        })
    }

    /// The question a step is about: its number, and who asked.
    fn question(&mut self, here: &Here, file: &file::Step) -> Option<(u32, PartyId)> {
        let name = self.need(here, "question", &file.question)?;
        match self.named(here, name, Kind::Question)? {
            Value::Question { number, consumer } => Some((number, consumer)),
            other => unreachable!("a question's name stands for {other:?}"),
        }
    }

    fn bytes(&mut self, size: &At<Amount>) -> Option<u32> {
        let (text, why) = match size.get() {
            Amount::Text(text) => match units::size(text) {
                Ok(bytes) => return Some(bytes),
                Err(why) => (text.clone(), why),
            },
            Amount::Number(number) => (number.to_string(), "it lacks a unit"),
        };
        self.complain(size, format!("`size` cannot be `{text}`"), why)
            .advise(units::SIZES);
        None
    }

    fn share(&mut self, here: &Here, file: &file::Step) -> Option<Share> {
        let to = self.need(here, "to", &file.to);
        let to = to.and_then(|to| self.party(to));
        self.copied(here, file, to, (defaults::NO_LOCK, Terms::default()))
    }

    fn approve(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let request = self.request(here, file);
        let (request, to, asked) = match request {
            Some((request, consumer, lock, terms)) => {
                (Some(request), Some(consumer), (lock, terms))
            }
            None => (None, None, (defaults::NO_LOCK, Terms::default())),
        };
        let share = self.copied(here, file, to, asked);
        Some(Order::Approve {
            request: request?,
            share: share?,
        })
    }

    fn deny(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let asked = [("request", &file.request), ("question", &file.question)];
        match self.either(here, asked)? {
            // What an enclave is asked is no request on the network.
            (0, name) if self.aliases.is_a(name, Kind::Disclosure) => {
                let (request, consumer) = self.disclosure(here, name)?;
                Some(Order::Forbid { request, consumer })
            }
            (0, _) => {
                let (request, consumer, ..) = self.request(here, file)?;
                Some(Order::Deny { request, consumer })
            }
            (_, _) => {
                let (question, consumer) = self.question(here, file)?;
                Some(Order::DenyQuestion { question, consumer })
            }
        }
    }

    /// A request that waits in an enclave: its number, and who asked.
    fn disclosure(&mut self, here: &Here, name: &At<String>) -> Option<(u32, PartyId)> {
        match self.named(here, name, Kind::Disclosure)? {
            Value::Disclosure { number, consumer } => Some((number, consumer)),
            other => unreachable!("a disclosure's name stands for {other:?}"),
        }
    }

    /// A copy to be made, with its grant; `usual` is what the step need not say.
    fn copied(
        &mut self,
        here: &Here,
        file: &file::Step,
        to: Option<PartyId>,
        usual: (i64, Terms),
    ) -> Option<Share> {
        let row = self.needed_credential(here, &file.credential);
        let alias = self.need(here, "as", &file.alias);
        let locked_until = self.lock(here, own_lock(file), usual.0);
        let terms = self.terms(here, file, usual.1);
        let fidelity = self.or(&file.fidelity, defaults::FIDELITY, |this, word| {
            let kinds = [
                Fidelity::Faithful,
                Fidelity::Altered,
                Fidelity::AlteredUnderOldHash,
                Fidelity::Borrowed,
                Fidelity::Garbage,
                Fidelity::Tampered,
                Fidelity::Misdirected,
            ];
            this.word(word, "fidelity", file::FIDELITIES)
                .map(|place| kinds[place])
        });
        let (row, alias, to, locked_until) = (row?, alias?, to?, locked_until?);
        let copy = ids::copy(&self.told_as, alias.get());
        let grant = GrantRef {
            data: copy,
            grantee: to,
            locked_until,
        };
        let copied = Row {
            id: copy,
            owner: row.owner,
        };
        self.aliases.fill(here, alias, Value::Grant(copied, grant));
        Some(Share {
            original: row.id,
            owner: self.cast.party(row.owner).user,
            copy,
            to,
            locked_until,
            in_millis: said(&file.in_milliseconds),
            terms: terms?,
            fidelity: fidelity?,
        })
    }

    /// How far access goes besides its lock; `usual` is what the step need not say.
    fn terms(&mut self, here: &Here, file: &file::Step, usual: Terms) -> Option<Terms> {
        let ends = [("ends", &file.ends), ("ends-at", &file.ends_at)];
        let expires_at = if file.ends.is_some() || file.ends_at.is_some() {
            self.lock(here, ends, defaults::NO_LOCK).map(Some)
        } else {
            Some(usual.expires_at)
        };
        let fields = self.or(&file.fields, usual.fields, |this, fields| {
            this.not_empty("fields", fields).map(Some)
        });
        Some(Terms {
            expires_at: expires_at?,
            uses: file
                .uses
                .as_ref()
                .map_or(usual.uses, |uses| Some(*uses.get())),
            fields: fields?,
        })
    }

    fn cancel_paper(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let papers = [("dag", &file.dag), ("dwg", &file.dwg)];
        let (place, name) = self.either(here, papers)?;
        let kind = [Kind::Dag, Kind::Dwg][place];
        match self.named(here, name, kind)? {
            Value::Dag(dag, ..) => Some(Order::CancelDag { dag }),
            Value::Dwg { id, .. } => Some(Order::CancelDwg { id }),
            other => unreachable!("a paper's name stands for {other:?}"),
        }
    }

    fn list_rows(
        &mut self,
        here: &Here,
        file: &file::Step,
        listing: Listing,
        expect: Option<Expect>,
    ) -> Option<Order> {
        let rows = self.rows(here, file, expect)?;
        Some(Order::ListRows { listing, rows })
    }

    fn revoke(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let names = match (&file.grant, &file.grants) {
            (Some(one), Some(many)) => {
                self.complain(
                    many,
                    "`grant` and `grants` exclude each other".to_owned(),
                    "the second",
                )
                .also(one.span(), "the first");
                return None;
            }
            (Some(one), None) => std::slice::from_ref(one),
            (None, many) => {
                if many.as_ref().is_some_and(|many| many.get().is_empty()) {
                    let many = many.as_ref()?;
                    self.complain(many, "a `revoke` step names no grant".to_owned(), "empty");
                    return None;
                }
                if many.is_none() {
                    self.need(here, "grant", &file.grant);
                }
                list(many)
            }
        };
        let found: Vec<Option<GrantRef>> = names
            .iter()
            .map(|name| self.grant(here, name).map(|(_, grant)| grant))
            .collect();
        let grants: Vec<GrantRef> = found.into_iter().collect::<Option<_>>()?;
        (!grants.is_empty()).then_some(Order::Revoke { grants })
    }

    fn store_again(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let issued = self.needed_credential(here, &file.credential)?;
        let credential = match (&file.alias, &file.copy) {
            (None, None) => issued.id,
            (None, Some(copy)) => self.grant(here, copy).map(|(row, _)| row.id)?,
            (Some(alias), _) => {
                let id = ids::credential(&self.told_as, alias.get());
                let owner = here.by?;
                self.aliases
                    .fill(here, alias, Value::Credential(Row { id, owner }));
                id
            }
        };
        Some(Order::StoreAgain {
            issued: issued.id,
            credential,
            resigned: said(&file.resigned),
        })
    }

    fn sign_dag(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let row = self.row(here, file);
        let to = self.need(here, "to", &file.to);
        let to = to.and_then(|to| self.party(to));
        let alias = self.need(here, "as", &file.alias);
        let locked_until = self.lock(here, own_lock(file), defaults::NO_LOCK);
        let owner = match &file.owner {
            Some(owner) => self.party(owner),
            None => here.by,
        };
        let carrier = match &file.carrier {
            Some(carrier) => self.party(carrier),
            None => to,
        };
        let usual = here.at? + defaults::PAPER;
        let until = self.duration_or("until", &file.until, usual);
        let terms = self.terms(here, file, Terms::default());
        let (row, alias) = (row?, alias?);
        let grant = GrantRef {
            data: row.id,
            grantee: to?,
            locked_until: locked_until?,
        };
        let dag = self.aliases.next_dag();
        self.aliases.fill(here, alias, Value::Dag(dag, row, grant));
        Some(Order::SignDag {
            dag,
            grant,
            owner: owner?,
            carrier: carrier?,
            not_after: self.second(until?),
            terms: terms?,
        })
    }

    fn sign_dwg(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let to = self.need(here, "to", &file.to);
        let to = to.and_then(|to| self.party(to));
        let issuer = self.need(here, "issuer", &file.issuer);
        let issuer = issuer.and_then(|issuer| self.role(issuer, Role::Issuer));
        let alias = self.need(here, "as", &file.alias);
        let locked_until = self.lock(here, own_lock(file), defaults::NO_LOCK);
        let at = here.at?;
        let from = self.duration_or("from", &file.from, at);
        let usual = at + defaults::WINDOW;
        let until = self.duration_or("until", &file.until, usual);
        let carrier = match &file.carrier {
            Some(carrier) => self.role(carrier, Role::Issuer),
            None => issuer,
        };
        let (alias, owner, to) = (alias?, here.by?, to?);
        let name = alias.get();
        let row = |id| Row { id, owner };
        let (original, copy) = (
            row(ids::credential(&self.told_as, name)),
            row(ids::copy(&self.told_as, name)),
        );
        let grant = GrantRef {
            data: copy.id,
            grantee: to,
            locked_until: locked_until?,
        };
        let number = self.aliases.next_dwg();
        let id = ids::write_grant(&self.told_as, name);
        let value = Value::Dwg {
            number,
            id,
            original,
            copy,
            grant,
        };
        self.aliases.fill(here, alias, value);
        Some(Order::SignDwg {
            dwg: number,
            id,
            grant,
            issuer: issuer?,
            carrier: carrier?,
            not_before: self.second(from?),
            not_after: self.second(until?),
        })
    }

    fn write_dwg(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let name = self.need(here, "dwg", &file.dwg)?;
        let Value::Dwg {
            number,
            original,
            copy,
            ..
        } = self.named(here, name, Kind::Dwg)?
        else {
            unreachable!("a dwg's name stands for a dWG")
        };
        let again = format!("{} again", name.get());
        let fresh = said(&file.fresh);
        Some(Order::WriteDwg {
            dwg: number,
            original: match fresh {
                true => ids::credential(&self.told_as, &again),
                false => original.id,
            },
            copy: match fresh {
                true => ids::copy(&self.told_as, &again),
                false => copy.id,
            },
        })
    }

    fn new_attribute(&mut self, here: &Here, file: &file::Step) -> Option<AttributeId> {
        let alias = self.need(here, "as", &file.alias)?;
        let id = ids::attribute(&self.told_as, alias.get());
        self.aliases.fill(here, alias, Value::Attribute(id));
        Some(id)
    }

    fn needed_attribute(&mut self, here: &Here, file: &file::Step) -> Option<AttributeId> {
        let name = self.need(here, "attribute", &file.attribute)?;
        self.attribute(here, name)
    }

    fn ask(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let user = self.needed_user(here, "of", &file.of);
        let alias = self.need(here, "as", &file.alias);
        let locked_until = self.lock(here, own_lock(file), defaults::NO_LOCK);
        let purpose = match &file.purpose {
            Some(purpose) => self.not_empty("purpose", purpose),
            None => Some(defaults::PURPOSE.to_owned()),
        };
        let credential = match &file.credential {
            Some(name) => self.credential(here, name).map(|row| Some(row.id)),
            None => Some(None),
        };
        let at = here.at?;
        let stands = self.duration_or("stands", &file.stands, defaults::STANDS);
        let terms = self.terms(here, file, Terms::default());
        let (alias, locked_until, consumer) = (alias?, locked_until?, here.by?);
        let terms = terms?;
        let request = RequestRef {
            number: self.aliases.next_request(),
            id: ids::request(&self.told_as, alias.get()),
        };
        let value = Value::Request {
            request,
            consumer,
            locked_until,
            terms: terms.clone(),
        };
        self.aliases.fill(here, alias, value);
        Some(Order::Request {
            request,
            user: user?,
            credential: credential?,
            locked_until,
            stands_until: self.second(at + stands?),
            terms,
            purpose: purpose?,
        })
    }

    fn ask_enclave(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let user = self.needed_user(here, "of", &file.of);
        let row = self.needed_credential(here, &file.credential);
        let alias = self.need(here, "as", &file.alias);
        let (alias, consumer) = (alias?, here.by?);
        let number = self.aliases.next_request();
        let value = Value::Disclosure { number, consumer };
        self.aliases.fill(here, alias, value);
        Some(Order::AskEnclave {
            request: number,
            user: user?,
            credential: row?.id,
        })
    }

    fn use_copy(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let copy = self.need(here, "copy", &file.copy);
        let copy = copy.and_then(|copy| self.grant(here, copy));
        let least = [
            ("least-lock", &file.least_lock),
            ("least-lock-until", &file.least_lock_until),
        ];
        let locked_until = self.lock(here, least, defaults::NO_LOCK);
        let posing_as = self.or(&file.posing_as, None, |this, name| {
            this.party(name).map(Some)
        });
        let level = self.or(&file.least_level, Demands::NONE.level, Self::level);
        let trusting: Vec<_> = list(&file.trusting)
            .iter()
            .map(|name| self.role(name, Role::Issuer))
            .collect();
        let demands = Demands {
            level: level?,
            trusting: trusting.into_iter().collect::<Option<_>>()?,
            unique: said(&file.unique),
        };
        let (row, _) = copy?;
        Some(Order::Use {
            copy: row.id,
            owner: self.cast.party(row.owner).user,
            locked_until: locked_until?,
            posing_as: posing_as?,
            demands,
        })
    }

    fn list_granted(
        &mut self,
        here: &Here,
        file: &file::Step,
        expect: Option<Expect>,
    ) -> Option<Order> {
        let size = self.page_size(file);
        let rows = self.rows(here, file, expect);
        Some(Order::ListGranted {
            page: file.page.as_ref().map(|page| *page.get()),
            size: size?,
            rows: rows?,
        })
    }

    /// The size of the page a listing asks for; nothing inside where it names none.
    fn page_size(&mut self, file: &file::Step) -> Option<Option<i64>> {
        self.or(&file.size, None, |this, size| match size.get() {
            Amount::Number(number) => Some(Some(*number)),
            Amount::Text(text) => {
                this.complain(
                    size,
                    format!("`size` cannot be `{text}`"),
                    "a page counts rows",
                )
                .advise("the size of a page is a whole number, without quotes");
                None
            }
        })
    }

    /// How many rows a listing should have. Only one that is given has rows to count.
    fn rows(&mut self, here: &Here, file: &file::Step, expect: Option<Expect>) -> Option<u32> {
        match (&file.rows, expect) {
            (None, Some(Expect::Ending(Ending::Accepted))) => {
                self.need(here, "rows", &file.rows);
                None
            }
            (None, _) => Some(defaults::ROWS),
            (Some(rows), _) => self.row_count(rows),
        }
    }

    fn row_count(&mut self, rows: &At<i64>) -> Option<u32> {
        let count = u32::try_from(*rows.get()).ok();
        if count.is_none() {
            let message = format!("there cannot be {} rows", rows.get());
            self.complain(rows, message, "not a count");
        }
        count
    }

    fn needed_user(
        &mut self,
        here: &Here,
        key: &'static str,
        name: &Option<At<String>>,
    ) -> Option<PartyId> {
        let name = self.need(here, key, name)?;
        self.role(name, Role::User)
    }

    pub(super) fn needed_credential(
        &mut self,
        here: &Here,
        name: &Option<At<String>>,
    ) -> Option<Row> {
        let name = self.need(here, "credential", name)?;
        self.credential(here, name)
    }

    /// A row: a credential by its own name, or a copy by that of its grant.
    pub(super) fn row(&mut self, here: &Here, file: &file::Step) -> Option<Row> {
        let keys = [("credential", &file.credential), ("copy", &file.copy)];
        match self.either(here, keys)? {
            (0, name) => self.credential(here, name),
            (_, name) => self.grant(here, name).map(|(row, _)| row),
        }
    }

    /// The request a step is about, who asked, and the lock and terms wanted.
    fn request(
        &mut self,
        here: &Here,
        file: &file::Step,
    ) -> Option<(RequestRef, PartyId, i64, Terms)> {
        let name = self.need(here, "request", &file.request)?;
        match self.named(here, name, Kind::Request)? {
            Value::Request {
                request,
                consumer,
                locked_until,
                terms,
            } => Some((request, consumer, locked_until, terms)),
            other => unreachable!("a request's name stands for {other:?}"),
        }
    }

    /// Last second of a lock, UNIX seconds. A lock cannot end within a second: chain time has none.
    fn lock(
        &mut self,
        here: &Here,
        [(length, lock), (end, until)]: Lock<'_>,
        default: i64,
    ) -> Option<i64> {
        if let (Some(lock), Some(until)) = (lock, until) {
            self.complain(
                until,
                format!("`{length}` and `{end}` exclude each other"),
                "the second",
            )
            .also(lock.span(), "the first");
            return None;
        }
        let end = match (lock, until) {
            (Some(lock), _) => {
                let lock = self.duration(length, lock)?;
                here.at? + lock
            }
            (None, Some(until)) => self.duration(end, until)?,
            (None, None) => return Some(default),
        };
        Some(self.second(end))
    }

    /// A moment of the story in UNIX seconds.
    pub(super) fn second(&self, moment: Millis) -> i64 {
        ((self.place.epoch.0 + moment.0) / 1000) as i64
    }

    fn not_empty(&mut self, key: &str, text: &At<String>) -> Option<String> {
        if text.get().trim().is_empty() {
            self.complain(text, format!("`{key}` is empty"), "a word is needed");
            return None;
        }
        Some(text.get().clone())
    }
}

fn own_lock(file: &file::Step) -> Lock<'_> {
    [("lock", &file.lock), ("lock-until", &file.lock_until)]
}
