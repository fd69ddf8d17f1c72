//! Carries out many runs: in parallel, in the order of the plan whatever finishes first, some of them
//! twice, and none of them able to take the others down.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use assay_model::history::History;
use assay_reports::{Mishap, Narrator, RunReport, Seeds, Trouble};
use assay_scenarios::plan::Plan;
use indicatif::ProgressBar;
use rayon::prelude::*;

use crate::world::{Job, Ran, World};

/// What became of one run.
pub(crate) enum Ended {
    Done(Box<RunReport>),
    Spoilt(Box<Mishap>),
    /// An interrupt came first.
    Skipped,
}

/// Runs every job with every seed; the results come job by job, seed by seed.
pub(crate) fn carry_out(
    world: &dyn World,
    jobs: &[Job],
    seeds: Seeds,
    threads: Option<NonZeroUsize>,
    interrupted: &AtomicBool,
    progress: &ProgressBar,
) -> Vec<Ended> {
    let per_job = usize::try_from(seeds.count()).expect("seeds of one invocation fit in memory");
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.map_or(0, NonZeroUsize::get))
        .build()
        .expect("the system gives us threads");
    let companies = world.companies(jobs);
    let mut ended: Vec<(usize, Ended)> = pool.install(|| {
        (0..companies.len() * per_job)
            .into_par_iter()
            .flat_map_iter(|turn| {
                let company = &companies[turn / per_job];
                let nth = turn % per_job;
                let seed = seeds.first + nth as u64;
                let ended = run(world, jobs, company, seed, turn == 0, interrupted);
                progress.inc(company.len() as u64);
                let places = company.iter().map(move |job| job * per_job + nth);
                places.zip(ended)
            })
            .collect()
    });
    ended.sort_by_key(|(place, _)| *place);
    ended.into_iter().map(|(_, ended)| ended).collect()
}

/// Whether a run is in the sample that is carried out twice: about one in twenty, and always the same.
const fn is_sampled(story: usize, seed: u64) -> bool {
    (seed % 20 + 7 * (story as u64 % 20)).is_multiple_of(20)
}

/// Carries out a company with one seed.
fn run(
    world: &dyn World,
    jobs: &[Job],
    company: &[usize],
    seed: u64,
    first: bool,
    interrupted: &AtomicBool,
) -> Vec<Ended> {
    if interrupted.load(Ordering::Relaxed) {
        return company.iter().map(|_| Ended::Skipped).collect();
    }
    let told: Vec<&Job> = company.iter().map(|job| &jobs[*job]).collect();
    let ran = caught(|| world.run(&told, seed)).unwrap_or_else(|message| {
        let panicked = |_| {
            Err(Trouble::Panicked {
                message: message.clone(),
            })
        };
        told.iter().map(panicked).collect()
    });
    let places = company.iter().zip(told).zip(ran);
    let ended = places.map(|((place, job), ran)| {
        let twice = first || is_sampled(*place, seed);
        let report = ran.and_then(|ran| {
            caught(|| report(world, job, &ran, seed, twice))
                .unwrap_or_else(|message| Err(Trouble::Panicked { message }))
        });
        match report {
            Ok(report) => Ended::Done(Box::new(report)),
            Err(trouble) => Ended::Spoilt(Box::new(Mishap {
                name: job.story.name.clone(),
                replay_as: job.story.replay_as.clone(),
                seed,
                trouble,
            })),
        }
    });
    ended.collect()
}

/// What is to be said of a run, which may have to be carried out again to be believed.
fn report(
    world: &dyn World,
    job: &Job,
    ran: &Ran<'_>,
    seed: u64,
    twice: bool,
) -> Result<RunReport, Trouble> {
    let Ran {
        plan,
        history,
        metrics,
    } = ran;
    if twice && world.repeats_itself() {
        for again in world.run(&[job], seed) {
            let again = again?.history;
            if again.digest() != history.digest() {
                return Err(difference(plan, history, &again));
            }
        }
    }
    let judgement = world.judge(plan, history, *metrics);
    let story = job.story.clone();
    Ok(RunReport::new(story, seed, plan, history, judgement))
}

/// The first observation that two histories of one seed do not share.
fn difference(plan: &Plan, first: &History, second: &History) -> Trouble {
    // What the digest is made of, so that what differs there differs here.
    let encoded = |history: &History, index: usize| {
        history.observations().get(index).map(|observation| {
            postcard::to_allocvec(observation).expect("it was encoded when it was recorded")
        })
    };
    let length = first.observations().len().max(second.observations().len());
    let index = (0..length).find(|index| encoded(first, *index) != encoded(second, *index));
    let Some(index) = index else {
        return Trouble::Differed {
            index: None,
            first: String::new(),
            second: String::new(),
        };
    };
    let told = |history: &History| match history.observations().get(index) {
        Some(observation) => {
            let told = Narrator::new(history, plan).tell(index);
            format!("{} {told}", observation.at)
        }
        None => "nothing more".to_owned(),
    };
    let (mut one, mut other) = (told(first), told(second));
    if one == other {
        // They differ in what the telling leaves out.
        let raw = |history: &History| format!("{:?}", history.observations()[index]);
        (one, other) = (raw(first), raw(second));
    }
    Trouble::Differed {
        index: Some(index),
        first: one,
        second: other,
    }
}

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static LAST_WORDS: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The value, or what a panic said and where. A panic that is caught here goes into the report, so
/// nothing is printed over the progress bar.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                LAST_WORDS.set(Some(last_words(info)));
            } else {
                others(info);
            }
        }));
    });
    let before = CATCHING.replace(true);
    // Whatever the work has touched is dropped with it: plans are only read, worlds hold memos only.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(before);
    outcome.map_err(|payload| LAST_WORDS.take().unwrap_or_else(|| words(&*payload)))
}

fn last_words(info: &PanicHookInfo<'_>) -> String {
    let words = words(info.payload());
    match info.location() {
        Some(place) => format!("{words} ({}:{})", place.file(), place.line()),
        None => words,
    }
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or(payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it did not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::progress;
    use crate::testing::{Fake, jobs};

    const SEEDS: Seeds = Seeds { first: 3, last: 9 };

    fn carried_out(world: &dyn World, interrupted: bool) -> Vec<Ended> {
        carry_out(
            world,
            &jobs(2),
            SEEDS,
            NonZeroUsize::new(4),
            &AtomicBool::new(interrupted),
            &progress::bar(14),
        )
    }

    fn told(ended: &[Ended]) -> Vec<String> {
        let told = ended.iter().map(|ended| match ended {
            Ended::Done(run) => format!("{} {}", run.story.name, run.seed),
            Ended::Spoilt(mishap) => {
                format!("{} {}: {}", mishap.name, mishap.seed, mishap.trouble)
            }
            Ended::Skipped => "skipped".to_owned(),
        });
        told.collect()
    }

    #[test]
    fn results_come_in_the_order_of_the_plan() {
        let world = Fake::new(|seed| seed);
        let expected: Vec<String> = jobs(2)
            .iter()
            .flat_map(|job| (3..=9).map(|seed| format!("{} {seed}", job.story.name)))
            .collect();
        assert_eq!(told(&carried_out(&world, false)), expected);
    }

    #[test]
    fn a_panic_spoils_its_own_run_only() {
        let world = Fake::new(|seed| {
            assert_ne!(seed, 5, "five is right out");
            seed
        });
        let told = told(&carried_out(&world, false));
        let spoilt: Vec<&String> = told.iter().filter(|told| told.contains("panic")).collect();
        assert_eq!((told.len(), spoilt.len()), (14, 2));
        assert!(spoilt[0].contains(" 5: "), "{spoilt:?}");
        assert!(spoilt[0].contains("five is right out"), "{spoilt:?}");
        assert!(spoilt[0].contains("runner.rs:"), "{spoilt:?}");
    }

    #[test]
    fn a_run_that_comes_out_differently_is_noticed() {
        // Each run of any seed differs from all others in one observation.
        let runs = AtomicU64::new(0);
        let world = Fake::new(move |_| runs.fetch_add(1, Ordering::SeqCst));
        let told = told(&carried_out(&world, false));
        assert!(
            told[0].contains("first in observation 1: `0.001s n1 crashes and loses"),
            "{}",
            told[0]
        );
    }

    #[test]
    fn after_an_interrupt_nothing_new_begins() {
        let world = Fake::new(|seed| seed);
        assert_eq!(told(&carried_out(&world, true)), vec!["skipped"; 14]);
    }

    #[test]
    fn about_one_run_in_twenty_is_carried_out_twice() {
        let sampled = |story| (0..1000).filter(|seed| is_sampled(story, *seed)).count();
        assert!((0..100).all(|story| sampled(story) == 50));
        // One seed samples a twentieth of the stories, and other seeds other ones.
        let stories = |seed| (0..1000).filter(|story| is_sampled(*story, seed)).count();
        assert!((0..100).all(|seed| stories(seed) == 50));
    }
}
