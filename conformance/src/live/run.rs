//! Telling stories on a network made for them and ended with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_model::catalogue::RequirementId;
use assay_model::crypto::{SigningKey, Suite, Symbolic};
use assay_model::history::Role;
use assay_model::id::{NodeId, Text};
use assay_model::time::{Millis, WallMillis};
use assay_node::process::seeded_key;
use assay_scenarios::Script;
use assay_scenarios::judge::judge;
use assay_scenarios::plan::{Deed, FaultKind, Plan, Step, Whose};
use assay_scenarios::worlds::{WorldKind, cannot_make};
use assay_sim::{Run, Seed, Setting};

use super::target::{ClockHook, Hardship, Target};
use super::{Live, NetworkPlan};
use crate::stage::{FOUNDING, Network, Told};
use crate::venue::Trouble;

/// The name every network of this world has.
const CHAIN_ID: &str = "assay-live";

/// Longest wait of a story that is told in real time: a few times what a write takes.
const LONGEST_WAIT: Millis = Millis::seconds(5);
/// Longest story that is told in real time.
const LONGEST_STORY: Millis = Millis::seconds(180);
/// What is tested only where long waits let a state grow old.
const AGE_OF_ANSWERS: RequirementId = "READ-02";

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
        if !plan.balances.is_empty() && !self.target.endows() {
            let target = &self.target.name;
            reasons.push(format!(
                "people have tokens from the start, and the `init` of target `{target}` takes no `{{balances}}`"
            ));
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
        let operator = plan
            .parties
            .iter()
            .find(|party| party.role == Role::Operator);
        if let Some(party) = operator.filter(|_| !self.target.capabilities.keys_of_seed) {
            let (name, target) = (&party.name, &self.target.name);
            reasons.push(format!(
                "the operator of {name} takes part, and nobody knows the keys of target `{target}`"
            ));
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
            reasons.extend(self.cannot_hurry(plan));
        }
        reasons
    }

    /// Why a story cannot be told in real time, if so.
    fn cannot_hurry(&self, plan: &Plan) -> Option<String> {
        let target = &self.target.name;
        let faults = plan.faults.iter().filter_map(|fault| match fault.kind {
            FaultKind::Clock(error) => Some(error.whose),
            _ => None,
        });
        let mut clocks = plan.clocks.iter().map(|error| error.whose).chain(faults);
        if clocks.any(|whose| matches!(whose, Whose::Node(_))) {
            return Some(format!(
                "a node's clock is wrong in it, and target `{target}` has no hook for its clock"
            ));
        }
        let hurried = plan.hurried(LONGEST_WAIT);
        if hurried.duration > LONGEST_STORY {
            let (most, long) = (LONGEST_STORY, hurried.duration);
            return Some(format!(
                "target `{target}` has no hook for its clock, and the story takes {long} of real time, where at most {most} are waited for"
            ));
        }
        if hurried == *plan {
            return None;
        }
        // Shorter waits may make another story of it: a proof that expires, a leader that does not.
        let comes_to = |plan: &Plan| {
            let Run { history, metrics } = assay_sim::run(plan, Seed(1), Arc::new(Symbolic));
            let judgement = judge(plan, &history, metrics);
            let requirements = judgement.requirements.into_iter();
            // Nothing grows old where nobody waits, and that makes no other story of it.
            let others = requirements.filter(|(id, _)| *id != AGE_OF_ANSWERS);
            let outcomes: Vec<_> = others.map(|(id, told)| (id, told.outcome)).collect();
            (judgement.verdict, outcomes)
        };
        (comes_to(plan) != comes_to(&hurried)).then(|| {
            format!(
                "target `{target}` has no hook for its clock, and with waits of at most {LONGEST_WAIT} the story comes to something else in the simulated world"
            )
        })
    }

    /// Tells stories one after another on one network, in a directory that holds none yet. What nodes leave
    /// behind stays there. A story that does not come to its end is the last that is told; its plan is as it
    /// was for its place on the network. One that runs into trouble after others counts as not told, like those
    /// after it.
    ///
    /// # Errors
    ///
    /// When the target does not start, or the harness fails before anything is told or when it looks at what
    /// is left.
    pub fn tell(
        &self,
        scripts: &[&Script],
        seed: Seed,
        suite: Arc<dyn Suite>,
        dir: &Path,
    ) -> Result<Vec<(Plan, Told)>, Trouble> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Trouble::Harness(format!("no runtime: {error}")))?;
        runtime.block_on(async {
            let first = scripts[0].plan();
            let chain_id: Text = CHAIN_ID.into();
            let keys = self.node_keys(&first, seed);
            let setting = Setting::new(&first, seed, &suite, (&chain_id, 0), &keys);
            let asked = self.network(&first, seed, &setting);
            let mut live = Live::open(&self.target, asked, dir).await?;
            let network = Network::new(&first, &setting, suite.clone(), &mut live);
            let told = self.tell_on(network, scripts, seed, &suite).await;
            live.close().await;
            told
        })
    }

    async fn tell_on(
        &self,
        mut network: Network<'_, Live>,
        scripts: &[&Script],
        seed: Seed,
        suite: &Arc<dyn Suite>,
    ) -> Result<Vec<(Plan, Told)>, Trouble> {
        let chain_id: Text = CHAIN_ID.into();
        let (mut plans, mut cut) = (Vec::new(), Vec::new());
        for script in scripts {
            let whole = script.plan_at(&network.place());
            let plan = self.paced(&whole);
            cut.push(whole.duration.saturating_sub(plan.duration));
            let named = (&chain_id, network.owners_nonce());
            let keys = self.node_keys(&plan, seed);
            let mut setting = Setting::new(&plan, seed, suite, named, &keys);
            setting.cast.keeps_history = self.target.keeps_history;
            let end;
            (network, end) = network.tell(&plan, setting).await;
            match end {
                Ok(()) => plans.push(plan),
                Err(trouble) if plans.is_empty() => return Err(trouble),
                Err(_) => break,
            }
            if !network.is_at_rest() {
                break;
            }
        }
        // What trouble cut short is there as well, so that its rows are not taken for those of nobody.
        let mut told = network.close().await?;
        let companions = told.len() as u32 - 1;
        for (told, cut) in told.iter_mut().zip(cut) {
            (told.metrics.companions, told.metrics.cut) = (companions, cut);
        }
        Ok(plans.into_iter().zip(told).collect())
    }

    /// The plan in as much time as this target needs for it.
    fn paced(&self, plan: &Plan) -> Plan {
        match self.target.clock {
            ClockHook::TimeFile => plan.clone(),
            ClockHook::None => plan.hurried(LONGEST_WAIT),
        }
    }

    /// The keys of the network's nodes, where they are known.
    fn node_keys(&self, plan: &Plan, seed: Seed) -> Vec<SigningKey> {
        if !self.target.capabilities.keys_of_seed {
            return Vec::new();
        }
        let nodes = (0..plan.nodes).map(NodeId);
        nodes.map(|node| seeded_key(seed.0, node)).collect()
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
            balances: setting.cast.balances.clone(),
            sentries: plan.sentries.clone(),
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
        | FaultKind::Clock(_)
        // No target is asked to lie.
        | FaultKind::SlippedIn { .. }
        | FaultKind::ForgedQuorum { .. }
        | FaultKind::Omitted { .. }
        | FaultKind::AlteredRow { .. } => &[],
    }
}
