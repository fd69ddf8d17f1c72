//! What people do.

use std::ops::Range;

use assay_model::actor::{Fidelity, GrantRef, Order, Share, Task, Via, Writer};
use assay_model::history::{Ending, Role};
use assay_model::id::{AttributeId, PartyId};
use assay_model::time::Millis;

use super::alias::{Kind, Row, Value};
use super::cast::{OPERATORS, called};
use super::{Resolver, defaults, ids, list, said};
use crate::file::{self, Amount, At};
use crate::names::suggest;
use crate::plan::{Deed, Expect, Step};
use crate::requirements::default_requirements;
use crate::verb::{Verb, Who};
use crate::{shape, units};

/// The step at hand.
#[derive(Clone, Debug)]
pub(super) struct Here {
    /// Place in order of time.
    pub(super) order: usize,
    /// Nothing when the file does not say it well.
    pub(super) at: Option<Millis>,
    pub(super) verb: Verb,
    pub(super) by: Option<PartyId>,
    /// Where the verb stands.
    place: Range<usize>,
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
            Who::Issuer => (
                role == Some(Role::Issuer),
                "an issuer",
                self.with(Role::Issuer),
            ),
            Who::Consumer => (
                role == Some(Role::Consumer),
                "a consumer",
                self.with(Role::Consumer),
            ),
            Who::Operators => (operators, "the operators", vec![OPERATORS.to_owned()]),
            Who::Anyone => (!operators, "an actor", self.cast.names(|_| true)),
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
        let via = self.or(&file.via, Via::Any, |this, node| {
            this.node(node).map(Via::Node)
        });
        let wallet = self.or(&file.wallet, 0, |this, name| {
            this.wallet(here, name).map(|(index, _)| index)
        });
        let patience = self.or(&file.patience, defaults::PATIENCE, |this, text| {
            this.positive("patience", text)
        });
        let order = self.order(here, file, expect);
        let task = Task {
            order: order?,
            via: via?,
            wallet: wallet?,
            patience: patience?.0,
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
            Verb::SetStatus => {
                let row = self.needed_credential(here, &file.credential);
                let status = self.need(here, "status", &file.status);
                let status = status.and_then(|status| self.not_empty("status", status));
                Some(Order::SetStatus {
                    credential: row?.id,
                    status: status?,
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
            Verb::Deny => {
                let (request, consumer, _) = self.request(here, file)?;
                Some(Order::Deny { request, consumer })
            }
            Verb::Revoke => self.revoke(here, file),
            Verb::Remove => {
                let credential = self.row(here, file)?.id;
                Some(Order::Remove { credential })
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
                let (_, id) = self.wallet(here, which)?;
                Some(Order::RemoveWallet { id })
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
                Some(Order::AddAttribute { id })
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
                Some(Order::Probe {
                    of: self.party(of)?,
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
            Verb::PayGas
            | Verb::Spend
            | Verb::SetFee
            | Verb::PayFee
            | Verb::Withdraw
            | Verb::Transfer
            | Verb::Lock
            | Verb::Sweep
            | Verb::Balance
            | Verb::Allowance
            | Verb::Fee
            | Verb::Claims => self.trade(here, file).map(Order::Trade),
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
            Verb::AppointLeader => unreachable!("appointing is no task of a party"),
        }
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
        })
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
        self.copied(here, file, to, defaults::NO_LOCK)
    }

    fn approve(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let request = self.request(here, file);
        let to = request.map(|(_, consumer, _)| consumer);
        let lock = request.map_or(defaults::NO_LOCK, |(_, _, lock)| lock);
        let share = self.copied(here, file, to, lock);
        Some(Order::Approve {
            request: request?.0,
            share: share?,
        })
    }

    /// A copy to be made, with its grant; `lock` is what the step need not say.
    fn copied(
        &mut self,
        here: &Here,
        file: &file::Step,
        to: Option<PartyId>,
        lock: i64,
    ) -> Option<Share> {
        let row = self.needed_credential(here, &file.credential);
        let alias = self.need(here, "as", &file.alias);
        let locked_until = self.lock(here, own_lock(file), lock);
        let fidelity = self.or(&file.fidelity, defaults::FIDELITY, |this, word| {
            let kinds = [
                Fidelity::Faithful,
                Fidelity::Altered,
                Fidelity::AlteredUnderOldHash,
                Fidelity::Borrowed,
                Fidelity::Garbage,
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
            fidelity: fidelity?,
        })
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
        let from = self.or(&file.from, at, |this, text| this.duration("from", text));
        let usual = at + defaults::WINDOW;
        let until = self.or(&file.until, usual, |this, text| {
            this.duration("until", text)
        });
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
        let value = Value::Dwg {
            number,
            original,
            copy,
            grant,
        };
        let id = ids::write_grant(&self.told_as, name);
        self.aliases.fill(here, alias, value);
        Some(Order::SignDwg {
            dwg: number,
            id,
            grant,
            issuer: issuer?,
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
        let (alias, locked_until, consumer) = (alias?, locked_until?, here.by?);
        let number = self.aliases.next_request();
        let value = Value::Request {
            number,
            consumer,
            locked_until,
        };
        self.aliases.fill(here, alias, value);
        Some(Order::Request {
            request: number,
            user: user?,
            locked_until,
            purpose: purpose?,
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
        let (row, _) = copy?;
        Some(Order::Use {
            copy: row.id,
            owner: self.cast.party(row.owner).user,
            locked_until: locked_until?,
            posing_as: posing_as?,
        })
    }

    fn list_granted(
        &mut self,
        here: &Here,
        file: &file::Step,
        expect: Option<Expect>,
    ) -> Option<Order> {
        let size = self.or(&file.size, None, |this, size| match size.get() {
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
        });
        // Only a listing that is given has rows to count.
        let rows = match (&file.rows, expect) {
            (None, Some(Expect::Ending(Ending::Accepted))) => {
                self.need(here, "rows", &file.rows);
                None
            }
            (None, _) => Some(defaults::ROWS),
            (Some(rows), _) => {
                let count = u32::try_from(*rows.get()).ok();
                if count.is_none() {
                    self.complain(
                        rows,
                        format!("there cannot be {} rows", rows.get()),
                        "not a count",
                    );
                }
                count
            }
        };
        Some(Order::ListGranted {
            page: file.page.as_ref().map(|page| *page.get()),
            size: size?,
            rows: rows?,
        })
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

    /// The request a step answers: its number, who asked, and the lock wanted.
    fn request(&mut self, here: &Here, file: &file::Step) -> Option<(u32, PartyId, i64)> {
        let name = self.need(here, "request", &file.request)?;
        match self.named(here, name, Kind::Request)? {
            Value::Request {
                number,
                consumer,
                locked_until,
            } => Some((number, consumer, locked_until)),
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
    fn second(&self, moment: Millis) -> i64 {
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
