//! Telling a story on a network of its own, made for it and ended with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_model::crypto::Suite;
use assay_model::id::Text;
use assay_model::time::WallMillis;
use assay_scenarios::plan::{Deed, FaultKind, Plan, Step};
use assay_scenarios::worlds::{WorldKind, cannot_make};
use assay_sim::{Seed, Setting};

use super::target::{ClockHook, Hardship, Target};
use super::{Live, NetworkPlan};
use crate::stage::{FOUNDING, Told, tell};
use crate::venue::Trouble;

/// The name every network of this world has.
const CHAIN_ID: &str = "assay-live";

/// What stories are told on.
#[derive(Clone, Debug)]
pub struct Stand {
    /// The implementation.
    pub target: Target,
    /// The running executable, which the reference node is part of.
    pub assay: PathBuf,
}

impl Stand {
    /// Why a story cannot be told here, one sentence each; nothing when it can.
    pub fn cannot(&self, plan: &Plan) -> Vec<String> {
        let world = cannot_make(WorldKind::Live, plan);
        let mut reasons: Vec<String> = world.iter().map(ToString::to_string).collect();
        for (switch, _) in assay_model::rules::Rules::documented().differences(plan.rules) {
            if !self.target.capabilities.rules.contains(&switch) {
                let (target, rule) = (&self.target.name, switch.name());
                reasons.push(format!("target `{target}` cannot turn rule `{rule}` off"));
            }
        }
        for fault in &plan.faults {
            let (line, name) = (fault.line, fault.kind.name());
            for hardship in hardships(&fault.kind) {
                if !self.target.can(*hardship) {
                    let lacks = hardship.name();
                    reasons.push(format!(
                        "line {line}: fault `{name}` needs a target that takes `{lacks}`"
                    ));
                }
            }
        }
        let appoints = |step: &&Step| matches!(step.deed, Deed::AppointLeader(_));
        if let Some(step) = plan.steps.iter().find(appoints)
            && !self.target.can_appoint()
        {
            let (line, target) = (step.line, &self.target.name);
            reasons.push(format!(
                "line {line}: target `{target}` has no command `appoint`"
            ));
        }
        if self.target.clock == ClockHook::None {
            let target = &self.target.name;
            reasons.push(format!(
                "target `{target}` has no hook for its clock, and stories are not told in real time yet"
            ));
        }
        reasons
    }

    /// Tells a story in a directory that holds none yet. What nodes leave behind stays there.
    ///
    /// # Errors
    ///
    /// When the target does not start, or the harness fails.
    pub fn tell(
        &self,
        plan: &Plan,
        seed: Seed,
        suite: Arc<dyn Suite>,
        dir: &Path,
    ) -> Result<Told, Trouble> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Trouble::Harness(format!("no runtime: {error}")))?;
        runtime.block_on(async {
            let chain_id: Text = CHAIN_ID.into();
            let mut setting = Setting::new(plan, seed, &suite, (&chain_id, 0));
            setting.cast.keeps_history = self.target.keeps_history;
            let network = self.network(plan, seed, &setting);
            let mut live = Live::open(&self.target, network, dir).await?;
            let told = tell(plan, setting, suite, &mut live).await;
            live.close().await;
            told
        })
    }

    fn network(&self, plan: &Plan, seed: Seed, setting: &Setting) -> NetworkPlan {
        NetworkPlan {
            nodes: plan.nodes,
            chain_id: CHAIN_ID.to_owned(),
            db_owner: setting.db_owner().to_string(),
            seed: seed.0,
            genesis_time: WallMillis(plan.epoch.0 - FOUNDING),
            rules: plan.rules,
            timing: plan.timing,
            leader: plan.leader,
            assay: self.assay.clone(),
        }
    }
}

/// Takes away what a story left in its directory, but for the nodes' logs.
pub fn leave_logs(dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && entry.file_name() != "logs" {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// What a fault asks of a target.
fn hardships(kind: &FaultKind) -> &'static [Hardship] {
    match kind {
        FaultKind::Crash { .. } => &[Hardship::Kill],
        FaultKind::Stop { .. } => &[Hardship::Stop],
        FaultKind::Pause { .. } => &[Hardship::Pause],
        FaultKind::Wipe { .. } => &[Hardship::Kill, Hardship::Wipe],
        FaultKind::RollBack { .. } => &[Hardship::Kill, Hardship::Stop, Hardship::RollBack],
        FaultKind::Split { .. }
        | FaultKind::Isolate { .. }
        | FaultKind::SplitLeader { .. }
        | FaultKind::OneWay { .. }
        | FaultKind::Lossy { .. }
        | FaultKind::Slow { .. }
        | FaultKind::Stall { .. }
        | FaultKind::Refuse { .. }
        | FaultKind::Reset { .. } => &[Hardship::PeerLinks],
        FaultKind::SlowClients { .. } => &[Hardship::ClientLinks],
        FaultKind::LostReply { .. }
        | FaultKind::DuplicatedRequest { .. }
        | FaultKind::Offline { .. }
        | FaultKind::Clock(_) => &[],
    }
}
