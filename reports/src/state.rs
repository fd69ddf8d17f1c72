//! Where every node stands at some moment, from what it was seen to do.

use assay_model::history::{Event, History};
use assay_model::id::{AppHash, Height, NodeId, TablesDigest};
use assay_model::time::Millis;
use serde::Serialize;

/// A node as last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeState {
    /// `n1`.
    pub node: String,
    /// `not started`, `running`, `down` or `halted`.
    pub status: &'static str,
    /// The last block it committed.
    pub height: u64,
    /// Its app hash, short; nothing before its first block.
    pub app_hash: Option<String>,
    /// Digest of its tables, short; nothing where nobody outside can see them.
    pub tables: Option<String>,
    /// The term in which it last took the lead.
    pub leads: Option<u32>,
}

/// Every node, from the observations up to and including `until`.
pub fn nodes(history: &History, until: Millis) -> Vec<NodeState> {
    let mut states: Vec<NodeState> = (0..history.cast.nodes)
        .map(|index| NodeState {
            node: NodeId(index).to_string(),
            status: "not started",
            height: 0,
            app_hash: None,
            tables: None,
            leads: None,
        })
        .collect();
    let seen = history.observations().iter();
    for observation in seen.take_while(|observation| observation.at <= until) {
        observe(&mut states, &observation.event);
    }
    states
}

fn observe(states: &mut [NodeState], event: &Event) {
    match event {
        Event::Started { node, .. } => status(states, *node, "running"),
        Event::Crashed { node, .. } | Event::Stopped { node } => status(states, *node, "down"),
        Event::Halted { node, .. } => status(states, *node, "halted"),
        Event::Leads { node, term } => {
            // Whoever led before has lost the lead, whether it knows it or not.
            states.iter_mut().for_each(|state| state.leads = None);
            if let Some(state) = states.get_mut(node.index()) {
                state.leads = Some(*term);
            }
        }
        Event::Committed {
            node,
            committed,
            app_hash,
            tables,
            ..
        } => {
            let after = tables.map(|(_, after)| after);
            holds(states, *node, committed.block.height, *app_hash, after);
        }
        Event::Installed {
            node,
            height,
            app_hash,
            tables,
        } => {
            let after = tables.map(|(_, after)| after);
            holds(states, *node, *height, *app_hash, after);
        }
        Event::Inspected {
            node,
            height,
            app_hash,
            tables,
            ..
        } => holds(states, *node, *height, *app_hash, *tables),
        _ => {}
    }
}

fn status(states: &mut [NodeState], node: NodeId, status: &'static str) {
    if let Some(state) = states.get_mut(node.index()) {
        state.status = status;
    }
}

fn holds(
    states: &mut [NodeState],
    node: NodeId,
    height: Height,
    app_hash: AppHash,
    tables: Option<TablesDigest>,
) {
    if let Some(state) = states.get_mut(node.index()) {
        state.height = height.0;
        state.app_hash = Some(app_hash.short());
        state.tables = tables.map(|tables| tables.short());
    }
}

impl std::fmt::Display for NodeState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let NodeState {
            node,
            status,
            height,
            app_hash,
            tables,
            leads,
        } = self;
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let line = format!(
            "{node:<4} {status:<11} height {height:<6} app hash {:<8}  tables {:<8}  {}",
            or_dash(app_hash),
            or_dash(tables),
            leads.map_or(String::new(), |term| format!("leads in term {term}"))
        );
        f.write_str(line.trim_end())
    }
}
