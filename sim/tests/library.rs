//! The whole library in the simulated world, under both crypto suites.

use std::sync::Arc;

use assay_model::crypto::{KdfMemo, Real, Suite, Symbolic};
use assay_scenarios::judge::{Judgement, Outcome, RunVerdict, judge};
use assay_scenarios::{Overrides, library, load};
use assay_sim::{Run, Seed, run};

fn tell(name: &str, seed: Seed, judgement: &Judgement, run: &Run) -> String {
    let mut lines = vec![format!("{name} seed {}: {:?}", seed.0, judgement.verdict)];
    lines.extend(
        judgement
            .doubts
            .iter()
            .map(|doubt| format!("  doubt: {doubt}")),
    );
    for (id, result) in &judgement.requirements {
        for (by, finding) in &result.findings {
            lines.push(format!(
                "  {id} {by}: {} {:?}",
                finding.sentence, finding.evidence
            ));
            for index in &finding.evidence {
                let observation = &run.history.observations()[*index];
                let event: String = format!("{:?}", observation.event)
                    .chars()
                    .take(300)
                    .collect();
                lines.push(format!("      {index} {} {event}", observation.at));
            }
        }
    }
    lines.join("\n")
}

fn check_library(suite: &dyn Fn() -> Arc<dyn Suite>, seeds: std::ops::RangeInclusive<u64>) {
    let mut failures = Vec::new();
    let mut told = 0;
    for source in library().iter() {
        let scenario = load(source).expect("library stories are well formed");
        let plan = scenario.plan(&Overrides::none());
        for seed in seeds.clone().map(Seed) {
            let run = run(&plan, seed, suite());
            let judgement = judge(&plan, &run.history, run.metrics);
            told += 1;
            let good = [RunVerdict::Held, RunVerdict::BrokeAsExpected];
            if !good.contains(&judgement.verdict) {
                failures.push(tell(&source.name, seed, &judgement, &run));
            }
            assert!(
                judgement
                    .requirements
                    .values()
                    .any(|r| r.outcome == Outcome::Passed)
            );
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {told}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn every_story_ends_as_it_should_with_real_keys() {
    let kdf = Arc::new(KdfMemo::new());
    check_library(&|| Arc::new(Real::new(kdf.clone())), 1..=2);
}

#[test]
fn every_story_ends_as_it_should_with_symbolic_keys() {
    check_library(&|| Arc::new(Symbolic), 1..=5);
}
