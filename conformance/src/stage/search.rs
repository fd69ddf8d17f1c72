//! What nodes leave behind is searched: for plaintext, and for the ciphertext of what was deleted.

use std::collections::BTreeMap;

use assay_model::actor::MARKER_PREFIX;
use assay_model::history::{Event, Level, Place};
use assay_model::id::{CredentialId, Height, NodeId};
use assay_model::ledger::{Answer, Content};
use assay_model::node::Reply;

use super::network::{Network, Tale};
use crate::scan::{self, Evidence, Findings, Kind, MARKED, Needle, Scanner};
use crate::venue::{Inspection, Trouble, Venue};

/// What the chain has deleted: at which height, and what it held before.
pub(super) type Deleted = BTreeMap<CredentialId, (Height, Vec<Content>)>;

impl<V: Venue> Network<'_, V> {
    /// Searches every node's remains, with a control that has to be found.
    pub(super) fn search(&mut self, tables: &[(NodeId, Inspection)]) -> Result<(), Trouble> {
        let deleted = self.oracle.deleted();
        // Content too short to be told from chance is left out; no honest client makes any.
        let needles: Vec<Needle> = deleted
            .iter()
            .flat_map(|(id, (_, contents))| contents.iter().map(move |content| (id, content)))
            .filter_map(|(id, content)| Needle::content(id.to_string(), content.text()).ok())
            .collect();
        let scanner = Scanner::new(&needles);
        self.control(&scanner)?;
        let read = self.read_last();
        for node in self.nodes() {
            let remains = self.venue.remains(node);
            let mut all = Findings::default();
            for kind in [
                Kind::Data,
                Kind::Log,
                Kind::PeerTraffic,
                Kind::ClientTraffic,
            ] {
                let mut places = scan::places(node, &remains);
                places.retain(|place| place.kind == kind);
                if places.is_empty() {
                    continue;
                }
                let findings = scanner.search(&places);
                self.scanned(node, kind, &findings);
                all.hits.extend(findings.hits);
            }
            let inspection = tables.iter().find(|(of, _)| *of == node);
            for (credential, (height, _)) in &deleted {
                let Some(index) = self.tales.iter().position(|tale| tale.saw(*height)) else {
                    continue;
                };
                let readable = read
                    .get(&(node, *credential))
                    .is_some_and(|at| at >= height);
                let looked_into = inspection.map(|(_, inspection)| inspection);
                let evidence = Evidence::of(*credential, readable, looked_into, &all);
                let remained = Event::Remained {
                    node,
                    credential: *credential,
                    level: level(evidence),
                };
                self.note(index, remained);
            }
        }
        Ok(())
    }

    /// Plants a control and has it found, or nothing that is not found means anything.
    fn control(&mut self, scanner: &Scanner) -> Result<(), Trouble> {
        let failed = |error: std::io::Error| Trouble::Harness(format!("no control: {error}"));
        let control = scan::plant(&self.venue.scratch()).map_err(failed)?;
        let findings = scanner.search(&[control.place()]);
        for why in control.missed(&findings) {
            self.note_all(&Event::Doubted { why });
        }
        control.remove().map_err(failed)
    }

    fn scanned(&mut self, node: NodeId, kind: Kind, findings: &Findings) {
        let marked = findings.hits.iter().filter(|hit| hit.needle == MARKED);
        let found = marked.map(|hit| match &hit.digits {
            Some(digits) => format!("{MARKER_PREFIX}{digits} ({})", hit.path),
            None => hit.to_string(),
        });
        self.note_all(&Event::Scanned {
            node,
            place: match kind {
                Kind::Data => Place::Disk,
                Kind::Log => Place::Log,
                Kind::PeerTraffic => Place::Message,
                Kind::ClientTraffic => Place::Request,
            },
            bytes: findings.bytes,
            found: found.collect(),
        });
        for why in &findings.doubts {
            self.note_all(&Event::Doubted { why: why.clone() });
        }
    }

    /// The last height at which each node gave out each credential's content.
    fn read_last(&self) -> BTreeMap<(NodeId, CredentialId), Height> {
        let mut last = BTreeMap::new();
        let told = self.tales.iter();
        for observation in told.flat_map(|tale| tale.told.history.observations()) {
            let Event::Answered {
                node,
                reply: Reply::View { height, result },
                ..
            } = &observation.event
            else {
                continue;
            };
            let id = match result {
                Ok(Answer::Owned(Some(row))) => row.id,
                Ok(Answer::Shared(row)) => row.id,
                _ => continue,
            };
            let at: &mut Height = last.entry((*node, id)).or_default();
            *at = (*at).max(*height);
        }
        last
    }
}

impl Tale {
    /// Whether a block came while the story was told.
    fn saw(&self, height: Height) -> bool {
        self.heights.0 < height && height <= self.heights.1
    }
}

/// How far from gone the evidence leaves a ciphertext. Plaintext is a matter of its own.
fn level(evidence: Evidence) -> Level {
    if evidence.readable {
        Level::Readable
    } else if evidence.listed {
        Level::Tables
    } else if evidence.at_rest {
        Level::History
    } else {
        Level::Gone
    }
}
