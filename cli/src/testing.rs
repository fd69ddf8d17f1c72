//! A world of our own making, for tests of everything around it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use assay_model::history::{Cast, Event, History};
use assay_model::id::NodeId;
use assay_model::node::USUAL_HISTORY;
use assay_model::time::Millis;
use assay_reports::Trouble;
use assay_scenarios::judge::{Judgement, Metrics, RunVerdict};
use assay_scenarios::plan::Plan;

use crate::output::Output;
use crate::select::choose;
use crate::world::{Job, Ran, World, each};
use assay_scenarios::Overrides;

/// Every run is three observations, the middle one with a number that follows from the seed.
pub(crate) struct Fake<F> {
    number: F,
}

impl<F: Fn(u64) -> u64 + Sync> Fake<F> {
    pub(crate) fn new(number: F) -> Fake<F> {
        Fake { number }
    }

    fn told(&self, plan: &Plan, seed: u64) -> (History, Metrics) {
        let mut history = History::new(Arc::new(Cast {
            parties: vec![],
            nodes: 2,
            keys: Vec::new(),
            sentries: Default::default(),
            leader: NodeId(0),
            chain_id: "assay-net".into(),
            rules: plan.rules,
            epoch: plan.epoch,
            drift: 0,
            operators: Vec::new(),
            external: assay_model::actor::External::ARBITRUM,
            keeps_history: true,
            balances: Vec::new(),
            history: USUAL_HISTORY,
            freshness: 0,
        }));
        let node = NodeId(0);
        history.record(Millis(0), Event::Started { node, again: false });
        let lost = (self.number)(seed) as u32;
        history.record(Millis(1), Event::Crashed { node, lost });
        history.record(Millis(90_000), Event::Settled);
        (history, Metrics::default())
    }
}

impl<F: Fn(u64) -> u64 + Sync> World for Fake<F> {
    fn run<'j>(&self, jobs: &[&'j Job], seed: u64) -> Vec<Result<Ran<'j>, Trouble>> {
        each(jobs, |plan| Ok(self.told(plan, seed)))
    }

    fn cannot(&self, _: &Plan) -> Vec<String> {
        vec![]
    }

    fn judge(&self, _: &Plan, _: &History, metrics: Metrics) -> Judgement {
        Judgement {
            verdict: RunVerdict::Held,
            invariants: vec![],
            steps: vec![],
            faults: vec![],
            requirements: BTreeMap::new(),
            doubts: vec![],
            metrics,
        }
    }
}

/// The first stories of the library.
pub(crate) fn jobs(number: usize) -> Vec<Job> {
    let stories = choose(&[]).expect("the library is sound");
    let stories = stories.iter().take(number);
    let jobs: Vec<Job> = stories.map(|story| story.job(&Overrides::none())).collect();
    assert_eq!(jobs.len(), number);
    jobs
}

/// What a command writes to standard output.
pub(crate) fn written(command: impl FnOnce(&mut Output)) -> String {
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let shared = Shared::default();
    command(&mut Output::to(Box::new(shared.clone())));
    let bytes = shared.0.lock().unwrap().clone();
    String::from_utf8(bytes).expect("text")
}
