//! `assay node`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use assay_model::time::WallMillis;
use assay_node::admin::appoint;
use assay_node::config::{HOME_VARIABLE, LogFormat, Settings, Told};
use assay_node::genesis::parse_node;
use assay_node::process::{
    Cluster, Founded, Founding, ProcessError, found, inspect, run, start_logs,
};
use assay_node::shell::RunError;
use assay_reports::Exit;
use serde_json::json;

use crate::args::{Format, InitArgs, NodeArgs, NodeCommand};
use crate::failure::{Complaint, Failure};
use crate::output::Output;

pub(crate) fn node(args: NodeArgs, format: Format, output: &mut Output) -> Result<Exit, Failure> {
    match (args.command, args.cluster, args.dir) {
        (Some(NodeCommand::Init(args)), _, _) => init(&args, format, output),
        (Some(NodeCommand::Inspect { home }), _, _) => {
            output.json(&inspect(&home).map_err(failure)?);
            Ok(Exit::Held)
        }
        (
            Some(NodeCommand::Appoint {
                admin,
                term,
                leader,
            }),
            _,
            _,
        ) => appointed(admin, term, &leader, format, output),
        (None, Some(nodes), Some(dir)) => {
            let log = args.log.unwrap_or(LogFormat::Text);
            logs(log, args.log_level.as_deref().unwrap_or("warn"))?;
            cluster(&dir, nodes, format, output)
        }
        (None, ..) => {
            let told = Told {
                rpc: args.rpc,
                peers_listen: args.peers_listen,
                admin: args.admin,
                peers: args.peers.into_iter().collect(),
                time_file: args.time_file,
                log: args.log,
                log_level: args.log_level,
            };
            serve(args.home, told)
        }
    }
}

fn serve(home: Option<PathBuf>, told: Told) -> Result<Exit, Failure> {
    let environment = |name: &str| std::env::var(name).ok();
    let Some(home) = home.or_else(|| environment(HOME_VARIABLE).map(PathBuf::from)) else {
        let hint = "name it with --home, make one with `assay node init`, or start a local network with \
                    `assay node --cluster 4 --dir DIR`";
        return Err(Failure::usage(
            Complaint::new("a node needs its directory").hint(Some(hint.to_owned())),
        ));
    };
    let settings = Settings::gather(home, told, environment)
        .map_err(|error| Failure::usage(Complaint::new(error.to_string())))?;
    logs(settings.log, &settings.log_level)?;
    run(settings).map_err(failure)?;
    Ok(Exit::Held)
}

fn logs(format: LogFormat, level: &str) -> Result<(), Failure> {
    start_logs(format, level).map_err(|what| Failure::usage(Complaint::new(what)))
}

fn failure(error: ProcessError) -> Failure {
    let exit = match &error {
        ProcessError::File(_) | ProcessError::Usage(_) => Exit::Usage,
        ProcessError::Run(RunError::Died) => Exit::Harness,
        ProcessError::Address { .. }
        | ProcessError::System { .. }
        | ProcessError::Store(_)
        | ProcessError::Run(_) => Exit::NoTarget,
    };
    Failure {
        exit,
        ..Failure::usage(Complaint::new(error.to_string()))
    }
}

fn init(args: &InitArgs, format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let leader = parse_node(&args.leader, args.nodes.into())
        .map_err(|what| Failure::usage(Complaint::new(format!("--leader: {what}"))))?;
    let named = args.sentries.split(',').filter(|name| !name.is_empty());
    let sentries = named
        .map(|name| parse_node(name, args.nodes.into()))
        .collect::<Result<_, _>>()
        .map_err(|what| Failure::usage(Complaint::new(format!("--sentries: {what}"))))?;
    let founding = Founding {
        nodes: args.nodes,
        chain_id: args.chain_id.clone(),
        db_owner: args.db_owner,
        seed: args.seed,
        rules: args.rules(),
        time: args.time.map(WallMillis),
        timing: args.timing.timing(),
        leader,
        balances: args.balances.0.clone(),
        sentries,
    };
    let founded = found(&args.dir, &founding).map_err(failure)?;
    match format {
        Format::Json => output.json(&json!({
            "schema": "assay.network/1",
            "chain_id": &*founded.genesis.chain_id,
            "db_owner": &*founded.genesis.db_owner,
            "owner_key": founded.owner_key,
            "homes": founded.homes,
        })),
        Format::Text => output.text(&told(&founded)),
    }
    Ok(Exit::Held)
}

fn told(founded: &Founded) -> String {
    let genesis = &founded.genesis;
    let mut text = format!(
        "network {}, rules {}, database owner {}\n",
        genesis.chain_id, genesis.rules, genesis.db_owner
    );
    if let Some(key) = &founded.owner_key {
        text.push_str(&format!("its key is in {}\n", key.display()));
    }
    for home in &founded.homes {
        text.push_str(&format!("{}\n", home.display()));
    }
    text
}

fn appointed(
    admin: SocketAddr,
    term: u32,
    leader: &str,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    appoint(admin, term, leader).map_err(|error| Failure {
        exit: Exit::NoTarget,
        ..Failure::usage(Complaint::new(error.to_string()))
    })?;
    match format {
        Format::Json => output.json(&json!({
            "schema": "assay.appointment/1",
            "term": term,
            "leader": leader,
        })),
        Format::Text => output.text(&format!("{leader} leads in term {term}\n")),
    }
    Ok(Exit::Held)
}

fn cluster(
    directory: &Path,
    nodes: u16,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    Cluster::run(directory, nodes, |cluster| match format {
        Format::Json => output.json(&as_json(cluster)),
        Format::Text => output.text(&endpoints(cluster)),
    })
    .map_err(failure)?;
    Ok(Exit::Held)
}

fn as_json(cluster: &Cluster) -> serde_json::Value {
    let nodes = cluster.nodes.iter().map(|node| {
        json!({
            "node": node.id.to_string(),
            "rpc": format!("http://{}/rpc/v1", node.rpc),
            "admin": format!("http://{}/rpc/v1", node.admin),
            "peers": node.peers,
            "home": node.home,
        })
    });
    json!({
        "schema": "assay.cluster/1",
        "chain_id": &*cluster.genesis.chain_id,
        "db_owner": &*cluster.genesis.db_owner,
        "nodes": nodes.collect::<Vec<_>>(),
    })
}

fn endpoints(cluster: &Cluster) -> String {
    let genesis = &cluster.genesis;
    let mut text = format!(
        "network {} is up; database owner {}\n",
        genesis.chain_id, genesis.db_owner
    );
    for node in &cluster.nodes {
        text.push_str(&format!(
            "{} rpc http://{}/rpc/v1  admin http://{}/rpc/v1  {}\n",
            node.id,
            node.rpc,
            node.admin,
            node.home.display()
        ));
    }
    text.push_str("Ctrl-C stops it; the same command brings it back\n");
    text
}
