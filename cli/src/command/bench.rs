//! `assay bench`: how fast this build is on this machine. The only command whose output hangs on a
//! clock.

mod node;

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use assay_model::time::Millis;
use assay_reports::Exit;
use assay_scenarios::plan::Plan;
use assay_scenarios::{Overrides, library, load};
use assay_sim::kernel::Kernel;
use assay_sim::{Domain, Run, Seed};
use serde_json::json;

use crate::args::{BenchArgs, Crypto, Format};
use crate::failure::Failure;
use crate::output::Output;
use crate::world::{Sim, World};

/// Events of one round on the bare kernel, and how many hosts send them.
const KERNEL_EVENTS: u64 = 1_000_000;
const HOSTS: u64 = 20;
/// A round of a small measurement is repeated until it has taken this long.
const ROUND: Duration = Duration::from_millis(200);
/// The story with the most actions, and the one with the most idle time.
const BUSY: &str = "grants/paging";
const IDLE: &str = "grants/five-years";
/// Stories longer than this would make simulated time per second meaningless.
const LONG: Millis = Millis::seconds(86_400);

/// What a figure has to come to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Floor {
    AtLeast(f64),
    Below(f64),
}

impl Floor {
    fn is_met(self, value: f64) -> bool {
        match self {
            Floor::AtLeast(floor) => value >= floor,
            Floor::Below(ceiling) => value < ceiling,
        }
    }

    fn words(self) -> String {
        match self {
            Floor::AtLeast(floor) => format!("at least {floor}"),
            Floor::Below(ceiling) => format!("below {ceiling}"),
        }
    }
}

/// One figure: the median of all rounds, between the least and the most.
struct Figure {
    name: String,
    unit: &'static str,
    /// What the median is asked to be.
    floor: Option<Floor>,
    least: f64,
    median: f64,
    most: f64,
}

impl Figure {
    fn of(name: impl Into<String>, unit: &'static str, mut rounds: Vec<f64>) -> Figure {
        rounds.sort_by(f64::total_cmp);
        Figure {
            name: name.into(),
            unit,
            floor: None,
            least: rounds[0],
            median: rounds[rounds.len() / 2],
            most: rounds[rounds.len() - 1],
        }
    }
}

pub(crate) fn bench(
    args: &BenchArgs,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let rounds = args.rounds.get();
    let (figures, place) = if args.node {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (
            node::measure(rounds)?,
            format!("clients and nodes on {cores} cores"),
        )
    } else {
        (simulated(rounds), "one core".to_owned())
    };
    match format {
        Format::Text => output.text(&table(&figures, &place, rounds)),
        Format::Json => output.json(&as_json(&figures, rounds)),
    }
    Ok(Exit::Held)
}

/// The simulated world.
fn simulated(rounds: u64) -> Vec<Figure> {
    let plans: Vec<Plan> = library()
        .iter()
        .map(|source| {
            let scenario = load(source).expect("stories of the library are well formed");
            scenario.plan(&Overrides::none())
        })
        .collect();
    let plan = |name: &str| {
        let found = plans.iter().find(|plan| plan.name == name);
        found.expect("the library has this story")
    };

    let mut figures = vec![Figure::of(
        "kernel, bare",
        "events/s",
        (0..rounds).map(kernel).collect(),
    )];
    for crypto in [Crypto::Real, Crypto::Symbolic] {
        let world = Sim::new(crypto);
        // Keys derived from passwords are remembered; the first round would pay for all others.
        tell(&world, plans.iter(), 0);
        let name = |what: &str| format!("{what}, {} crypto, judged", crypto.name());
        let mut measure = |what: &str, unit, round: &dyn Fn(u64) -> f64| {
            let values = (1..=rounds).map(round).collect();
            figures.push(Figure::of(name(what), unit, values));
        };
        measure("committed actions", "actions/s", &|seed| {
            let told = repeat(|turn| tell(&world, [plan(BUSY)], seed << 16 | turn));
            told.actions as f64 / told.took.as_secs_f64()
        });
        measure("whole library", "stories/s", &|seed| {
            let told = tell(&world, plans.iter(), seed);
            told.stories as f64 / told.took.as_secs_f64()
        });
        measure("stories under a day", "simulated s/s", &|seed| {
            let short = plans.iter().filter(|plan| plan.duration < LONG);
            let told = tell(&world, short, seed);
            told.simulated.0 as f64 / 1000.0 / told.took.as_secs_f64()
        });
        measure("five idle years", "ms", &|seed| {
            let told = repeat(|turn| tell(&world, [plan(IDLE)], seed << 16 | turn));
            told.took.as_secs_f64() * 1000.0 / told.stories as f64
        });
    }
    figures
}

/// The bare kernel: every event schedules the next of its host, at a time drawn for it.
fn kernel(round: u64) -> f64 {
    let mut kernel = Kernel::default();
    let seed = Seed(round);
    for host in 0..HOSTS {
        kernel.schedule(Millis(host), 0, host);
    }
    let start = Instant::now();
    for number in 0..KERNEL_EVENTS {
        let host = kernel.pop().expect("every host always has an event");
        let mut draw = seed.draw(Domain::Peer, host, number);
        let at = kernel.now() + Millis(1 + draw.below(100));
        kernel.schedule(at, draw.bits(), host);
    }
    black_box(kernel.now());
    KERNEL_EVENTS as f64 / start.elapsed().as_secs_f64()
}

/// What telling some stories took.
#[derive(Default)]
struct Told {
    stories: u64,
    actions: u64,
    simulated: Millis,
    took: Duration,
}

/// Runs and judges stories one after the other on one core.
fn tell<'p>(world: &Sim, plans: impl IntoIterator<Item = &'p Plan>, seed: u64) -> Told {
    let start = Instant::now();
    let mut told = Told::default();
    for plan in plans {
        let Run { history, metrics } = world.tell(plan, seed);
        black_box(world.judge(plan, &history, metrics));
        told.stories += 1;
        told.actions += metrics.actions;
        told.simulated += metrics.simulated;
    }
    told.took = start.elapsed();
    told
}

fn repeat(mut round: impl FnMut(u64) -> Told) -> Told {
    let mut sum = Told::default();
    let mut turn = 0;
    while sum.took < ROUND {
        let told = round(turn);
        turn += 1;
        sum.stories += told.stories;
        sum.actions += told.actions;
        sum.simulated += told.simulated;
        sum.took += told.took;
    }
    sum
}

fn table(figures: &[Figure], place: &str, rounds: u64) -> String {
    let mut out = format!("{place}, {rounds} rounds: least, median and most\n\n");
    for figure in figures {
        let Figure {
            name,
            unit,
            floor,
            least,
            median,
            most,
        } = figure;
        let digits = if *median < 100.0 { 1 } else { 0 };
        let asked = floor.map(|floor| {
            let met = if floor.is_met(*median) {
                "met"
            } else {
                "missed"
            };
            format!(", {} is {met}", floor.words())
        });
        let asked = asked.unwrap_or_default();
        let _ = writeln!(
            out,
            "  {name:<46} {least:>12.digits$} {median:>12.digits$} {most:>12.digits$}  {unit}{asked}"
        );
    }
    out
}

fn as_json(figures: &[Figure], rounds: u64) -> serde_json::Value {
    let figures: Vec<_> = figures
        .iter()
        .map(|figure| {
            let mut json = json!({
                "name": figure.name,
                "unit": figure.unit,
                "least": figure.least,
                "median": figure.median,
                "most": figure.most,
            });
            if let Some(floor) = figure.floor {
                json["asked"] = json!(floor.words());
                json["met"] = json!(floor.is_met(figure.median));
            }
            json
        })
        .collect();
    json!({ "schema": "assay.bench/1", "rounds": rounds, "figures": figures })
}
