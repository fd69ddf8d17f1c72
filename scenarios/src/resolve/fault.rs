//! What goes wrong.

use std::ops::Range;

use assay_model::history::Role;
use assay_model::id::NodeId;

use super::Resolver;
use crate::file::{self, At};
use crate::names::suggest;
use crate::plan::{ClockError, Fault, FaultKind, NodeRef, Nodes};
use crate::shape;
use crate::verb::FaultVerb;

/// The fault at hand.
struct Here {
    verb: FaultVerb,
    /// Where the whole fault stands.
    span: Range<usize>,
    /// Where its name stands.
    place: Range<usize>,
    /// Whether it lost a key to an error reported already.
    damaged: bool,
}

impl Resolver<'_> {
    /// The faults in order of time, each with its place.
    pub(super) fn faults(&mut self, faults: &[At<file::Fault>]) -> Vec<(Fault, Range<usize>)> {
        let mut done = Vec::new();
        for fault in faults {
            if let Some(resolved) = self.fault(fault) {
                done.push((resolved, fault.span()));
            }
        }
        done.sort_by_key(|(fault, _)| fault.at);
        done
    }

    fn fault(&mut self, fault: &At<file::Fault>) -> Option<Fault> {
        let file = fault.get();
        let at = file.at.as_ref().and_then(|at| self.duration("at", at));
        let lasts = file
            .lasts
            .as_ref()
            .and_then(|lasts| self.positive("for", lasts));
        let name = file.fault.as_ref()?;
        let Some(verb) = FaultVerb::parse(name.get()) else {
            self.unknown(name, "fault", "no such fault", FaultVerb::NAMES);
            return None;
        };
        let here = Here {
            verb,
            span: fault.span(),
            place: name.span(),
            damaged: self.damaged.contains(&fault.span().start),
        };
        self.strange_keys(&here, file);
        let kind = self.fault_kind(&here, file);
        Some(Fault {
            at: at?,
            lasts: lasts?,
            kind: kind?,
            line: self.line(&fault.span()),
        })
    }

    fn strange_keys(&mut self, here: &Here, file: &file::Fault) {
        let known = shape::fault_fields(here.verb);
        let name = here.verb.name();
        let strange = file
            .given()
            .into_iter()
            .filter(|(key, _)| !known.contains(key));
        for (key, span) in strange {
            self.complain_at(
                span,
                format!("`{name}` takes no `{key}`"),
                "not for this fault",
            )
            .advise(suggest(key, &known));
        }
    }

    fn needed<'s, T>(
        &mut self,
        here: &Here,
        key: &str,
        value: &'s Option<At<T>>,
    ) -> Option<&'s At<T>> {
        if value.is_none() && !here.damaged {
            let message = format!("`{}` lacks `{key}`", here.verb.name());
            self.complain_at(here.place.clone(), message, format!("needs `{key}`"))
                .advise(suggest("", &shape::fault_fields(here.verb)));
        }
        value.as_ref()
    }

    fn fault_kind(&mut self, here: &Here, file: &file::Fault) -> Option<FaultKind> {
        match here.verb {
            FaultVerb::Crash => {
                let node = self.struck(here, file)?;
                Some(FaultKind::Crash { node })
            }
            FaultVerb::Stop => {
                let node = self.struck(here, file)?;
                Some(FaultKind::Stop { node })
            }
            FaultVerb::Pause => {
                let node = self.struck(here, file)?;
                Some(FaultKind::Pause { node })
            }
            FaultVerb::Wipe => {
                let node = self.struck(here, file)?;
                Some(FaultKind::Wipe { node })
            }
            FaultVerb::RollBack => {
                let node = self.struck(here, file)?;
                Some(FaultKind::RollBack { node })
            }
            FaultVerb::Isolate => {
                let node = self.struck(here, file)?;
                Some(FaultKind::Isolate { node })
            }
            FaultVerb::Split => {
                let sides = self.needed(here, "sides", &file.sides)?;
                let sides = self.sides(sides)?;
                Some(FaultKind::Split { sides })
            }
            FaultVerb::SplitLeader => {
                if (1..3).contains(&self.nodes) {
                    let nodes = self.nodes;
                    self.complain_at(
                        here.place.clone(),
                        format!("`split-leader` needs at least 3 nodes, and there are {nodes}"),
                        "no two sides of different size",
                    );
                }
                let side = self.needed(here, "side", &file.side)?;
                let place = self.word(side, "side", file::SIDES)?;
                Some(FaultKind::SplitLeader {
                    majority: file::SIDES[place] == "majority",
                })
            }
            FaultVerb::OneWay => {
                let (from, to) = self.one_way(here, file)?;
                Some(FaultKind::OneWay { from, to })
            }
            FaultVerb::Stall => {
                let (from, to) = self.one_way(here, file)?;
                Some(FaultKind::Stall { from, to })
            }
            FaultVerb::Refuse => {
                let (from, to) = self.one_way(here, file)?;
                Some(FaultKind::Refuse { from, to })
            }
            FaultVerb::Reset => {
                let (from, to) = self.one_way(here, file)?;
                Some(FaultKind::Reset { from, to })
            }
            FaultVerb::Lossy => {
                let loss = self.needed(here, "loss", &file.loss)?;
                let loss = self.rate("loss", loss)?;
                Some(FaultKind::Lossy { loss })
            }
            FaultVerb::Slow => {
                let delay = self.needed(here, "delay", &file.delay)?;
                let delay = self.positive("delay", delay)?;
                Some(FaultKind::Slow { delay })
            }
            FaultVerb::Offline => {
                let party = self.needed(here, "party", &file.party)?;
                let party = self.party(party)?;
                Some(FaultKind::Offline { party })
            }
            FaultVerb::LostReply => {
                let party = self.needed(here, "party", &file.party);
                let party = party.and_then(|party| self.party(party));
                let of = match &file.node {
                    Some(node) => self.node_ref(node).map(Nodes::Only),
                    None => Some(Nodes::All),
                };
                Some(FaultKind::LostReply {
                    party: party?,
                    of: of?,
                })
            }
            FaultVerb::DuplicatedRequest => {
                let party = self.needed(here, "party", &file.party)?;
                let party = self.party(party)?;
                Some(FaultKind::DuplicatedRequest { party })
            }
            FaultVerb::SlowClients => {
                let delay = self.needed(here, "delay", &file.delay)?;
                let delay = self.positive("delay", delay)?;
                Some(FaultKind::SlowClients { delay })
            }
            FaultVerb::SlippedIn => {
                let party = self.needed(here, "party", &file.party)?;
                let party = self.role(party, Role::User)?;
                Some(FaultKind::SlippedIn { party })
            }
            FaultVerb::ForgedQuorum => {
                let node = self.struck(here, file)?;
                Some(FaultKind::ForgedQuorum { node })
            }
            FaultVerb::Omitted => {
                let party = self.needed(here, "party", &file.party)?;
                let party = self.party(party)?;
                Some(FaultKind::Omitted { party })
            }
            FaultVerb::AlteredRow => {
                let node = self.struck(here, file);
                let party = self.needed(here, "party", &file.party)?;
                let party = self.role(party, Role::User)?;
                Some(FaultKind::AlteredRow { node: node?, party })
            }
            FaultVerb::Clock => {
                let of = self.needed(here, "of", &file.of);
                let whose = of.and_then(|of| self.whose(of));
                let wrong = self.clock(here.span.clone(), &file.offset, &file.drift);
                let (offset, drift) = wrong?;
                Some(FaultKind::Clock(ClockError {
                    whose: whose?,
                    offset,
                    drift,
                }))
            }
        }
    }

    /// The node a fault happens to.
    fn struck(&mut self, here: &Here, file: &file::Fault) -> Option<NodeRef> {
        let node = self.needed(here, "node", &file.node)?;
        self.node_ref(node)
    }

    /// The two ends of a link, sender first.
    fn one_way(&mut self, here: &Here, file: &file::Fault) -> Option<(NodeRef, NodeRef)> {
        let from = self.needed(here, "from", &file.from);
        let to = self.needed(here, "to", &file.to);
        if let (Some(from), Some(to)) = (from, to)
            && from.get() == to.get()
        {
            self.complain(
                to,
                format!("`{}` always hears itself", to.get()),
                "the same node",
            );
            return None;
        }
        let from = from.and_then(|from| self.node_ref(from));
        let to = to.and_then(|to| self.node_ref(to));
        Some((from?, to?))
    }

    fn sides(&mut self, sides: &At<Vec<At<Vec<At<String>>>>>) -> Option<Vec<Vec<NodeId>>> {
        if sides.get().is_empty() {
            self.complain(sides, "a split needs sides".to_owned(), "empty")
                .advise("sides are lists of nodes: [[\"n1\"], [\"n2\", \"n3\"]]");
            return None;
        }
        let mut whole = true;
        let mut seen: Vec<(NodeId, Range<usize>)> = Vec::new();
        let mut resolved = Vec::new();
        for side in sides.get() {
            if side.get().is_empty() {
                self.complain(side, "a side of the split is empty".to_owned(), "no node");
                whole = false;
            }
            let mut nodes = Vec::new();
            for name in side.get() {
                let Some(node) = self.node(name) else {
                    whole = false;
                    continue;
                };
                if let Some((_, first)) = seen.iter().find(|(other, _)| *other == node) {
                    let first = first.clone();
                    self.complain(name, format!("`{node}` is on two sides"), "the second time")
                        .also(first, "the first time")
                        .advise("a node is on one side at most; one on no side hears nobody");
                    whole = false;
                }
                seen.push((node, name.span()));
                nodes.push(node);
            }
            resolved.push(nodes);
        }
        whole.then_some(resolved)
    }
}
