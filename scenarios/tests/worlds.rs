//! Which world can make which story.

use std::collections::BTreeSet;

use assay_scenarios::plan::{FaultKind, Plan};
use assay_scenarios::worlds::{WorldKind, cannot_make};
use assay_scenarios::{Overrides, Source, find, load, schema};

fn everything() -> Plan {
    let source = Source {
        name: "everything".to_owned(),
        path: "everything.toml".to_owned(),
        text: include_str!("everything.toml").into(),
    };
    let scenario = load(&source).unwrap_or_else(|problems| panic!("{problems:?}"));
    scenario.plan(&Overrides::none())
}

fn told(world: WorldKind, plan: &Plan) -> Vec<String> {
    let lacks = cannot_make(world, plan);
    lacks.iter().map(ToString::to_string).collect()
}

#[test]
fn a_fault_is_called_what_the_story_calls_it() {
    let plan = everything();
    let told: BTreeSet<&str> = plan.faults.iter().map(|fault| fault.kind.name()).collect();
    let schema = schema();
    let known = schema["$defs"]["Fault"]["properties"]["fault"]["enum"].as_array();
    let known: BTreeSet<&str> = known
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str())
        .collect();
    assert_eq!(told, known);
}

/// What only state machines can be made to do.
fn lies(kind: &FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::SlippedIn { .. }
            | FaultKind::ForgedQuorum { .. }
            | FaultKind::Omitted { .. }
            | FaultKind::AlteredRow { .. }
    )
}

#[test]
fn the_simulated_world_can_make_everything_and_the_live_one_all_but_lies() {
    let mut plan = everything();
    assert_eq!(told(WorldKind::Simulated, &plan), [""; 0]);
    assert_eq!(told(WorldKind::Live, &plan).len(), 4);
    plan.faults.retain(|fault| !lies(&fault.kind));
    assert_eq!(told(WorldKind::Live, &plan), [""; 0]);
}

#[test]
fn what_turmoil_cannot_make_is_said_with_line_and_reason() {
    insta::assert_snapshot!(told(WorldKind::Turmoil, &everything()).join("\n"));
    let rough = load(&find("consensus/rough-network").unwrap()).unwrap();
    let rough = rough.plan(&Overrides::none());
    insta::assert_snapshot!(told(WorldKind::Turmoil, &rough).join("\n"));
}

#[test]
fn a_world_names_a_fault_where_the_story_has_it() {
    let plan = everything();
    let lacks = cannot_make(WorldKind::Turmoil, &plan);
    let lines: BTreeSet<Option<u32>> = lacks.iter().map(|lack| lack.line).collect();
    let expected = plan.faults.iter().filter(|fault| {
        let link = matches!(
            fault.kind,
            FaultKind::Lossy { .. } | FaultKind::Reset { .. } | FaultKind::Pause { .. }
        );
        link || lies(&fault.kind)
    });
    let mut expected: BTreeSet<Option<u32>> = expected.map(|fault| Some(fault.line)).collect();
    expected.extend(lines.contains(&None).then_some(None));
    assert_eq!(lines, expected);
}
