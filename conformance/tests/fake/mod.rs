//! A node of our own making, for tests of everything around nodes: it answers about its health, sends
//! its peers a few bytes, and has whichever flaw it is told to have.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use assay_node::runtime::Skew;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Done = Result<(), Box<dyn Error>>;

/// What the node does when this is the first argument of a test's executable.
pub(crate) const WORD: &str = "fake-node";

/// How long the chain has no block for, and then between two.
const BLOCK: u64 = 50;

/// Plays the node and returns true when the arguments ask for it.
pub(crate) fn play() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_none_or(|word| word != WORD) {
        return false;
    }
    let arguments = Arguments(arguments);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = match arguments.0[1].as_str() {
        "init" => init(&arguments),
        "run" => runtime.expect("a runtime").block_on(run(&arguments)),
        "inspect" => inspect(&arguments),
        "appoint" => Ok(()),
        "sleep" => {
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        other => Err(format!("no command {other}").into()),
    };
    if let Err(error) = done {
        eprintln!("fake node: {error}");
        std::process::exit(1);
    }
    true
}

struct Arguments(Vec<String>);

impl Arguments {
    fn all(&self, name: &str) -> Vec<&str> {
        let pairs = self.0.windows(2).filter(|pair| pair[0] == name);
        pairs.map(|pair| pair[1].as_str()).collect()
    }

    fn one(&self, name: &str) -> Result<&str, String> {
        let found = self.all(name).first().copied();
        found.ok_or_else(|| format!("{name} is missing"))
    }

    fn flaw(&self) -> &str {
        self.one("--flaw").unwrap_or("none")
    }
}

fn init(arguments: &Arguments) -> Done {
    if arguments.flaw() == "init" {
        return Err("no network today".into());
    }
    let dir = Path::new(arguments.one("--dir")?);
    let nodes: u16 = arguments.one("--nodes")?.parse()?;
    for node in 1..=nodes {
        let home = dir.join(format!("n{node}"));
        fs::create_dir_all(&home)?;
        let genesis = json!({
            "chain_id": arguments.one("--chain-id")?,
            "time": arguments.one("--time")?,
            "rules": arguments.all("--rule"),
        });
        fs::write(home.join("genesis.json"), genesis.to_string())?;
    }
    Ok(())
}

fn inspect(arguments: &Arguments) -> Done {
    if arguments.flaw() == "inspect" {
        println!("height 3");
        return Ok(());
    }
    let state = fs::read_to_string(Path::new(arguments.one("--home")?).join("state"))?;
    let inspection = json!({
        "height": state.lines().count(),
        "app_hash": "00".repeat(32),
        "tables": null,
        "credentials": ["fd227c4f-59db-4bf7-853a-203f162e2eb6"],
        "grants": [],
        "users": [],
    });
    println!("{inspection}");
    Ok(())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_millis() as u64
}

async fn run(arguments: &Arguments) -> Done {
    let home = PathBuf::from(arguments.one("--home")?);
    match arguments.flaw() {
        "crash" => return Err("the database is on fire".into()),
        "stubborn" => {
            let kind = tokio::signal::unix::SignalKind::terminate();
            let mut asked = tokio::signal::unix::signal(kind)?;
            tokio::spawn(async move { while asked.recv().await.is_some() {} });
        }
        "escape" => {
            let mut command = tokio::process::Command::new(std::env::current_exe()?);
            command.args([WORD, "sleep"]).process_group(0).spawn()?;
        }
        _ => {}
    }
    println!("fake node at {}", home.display());
    // Every start is a line.
    let state = fs::read_to_string(home.join("state")).unwrap_or_default();
    fs::write(home.join("state"), format!("{state}started\n"))?;

    let genesis: Value = serde_json::from_slice(&fs::read(home.join("genesis.json"))?)?;
    let peers = TcpListener::bind(arguments.one("--peers-listen")?).await?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = peers.accept().await {
            tokio::spawn(chat(stream));
        }
    });
    let known: Vec<SocketAddr> = match arguments.flaw() {
        "bypass" => {
            fs::write(home.join("peer"), arguments.one("--peers-listen")?)?;
            others(&home).await
        }
        _ => arguments
            .all("--peer")
            .iter()
            .filter_map(|peer| peer.split_once('=')?.1.parse().ok())
            .collect(),
    };
    for peer in known {
        tokio::spawn(async move {
            loop {
                if let Ok(stream) = TcpStream::connect(peer).await {
                    chat(stream).await;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
    let rpc = TcpListener::bind(arguments.one("--rpc")?).await?;
    let time_file = PathBuf::from(arguments.one("--time-file").unwrap_or_default());
    let deaf = arguments.flaw() == "deaf";
    let chain_id = match arguments.flaw() {
        "chain" => json!("another"),
        _ => genesis["chain_id"].clone(),
    };
    let began = now();
    loop {
        let (stream, _) = rpc.accept().await?;
        let height = (now() - began) / BLOCK;
        let skew = fs::read(&time_file).ok();
        let skew = skew.and_then(|text| serde_json::from_slice(&text).ok());
        let skew: Skew = skew.filter(|_| !deaf).unwrap_or_default();
        let time = now() - now() % BLOCK;
        let health = json!({
            "chain_id": chain_id,
            "block_height": height,
            "block_time": time,
            "block_age": (now() - time + skew.skip) as i64 + skew.offset,
            "syncing": height < 1,
            "mode": "open",
            "peer_count": 3,
        });
        let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": health }).to_string();
        tokio::spawn(reply(stream, answer));
    }
}

/// Real addresses of the other nodes, from where they leave them.
async fn others(home: &Path) -> Vec<SocketAddr> {
    let nodes = home.parent().expect("a network").read_dir();
    let homes: Vec<PathBuf> = nodes
        .expect("homes")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir() && path != home)
        .collect();
    let mut found = Vec::new();
    for other in homes {
        loop {
            let text = fs::read_to_string(other.join("peer")).unwrap_or_default();
            if let Ok(address) = text.parse() {
                found.push(address);
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    found
}

async fn chat(mut stream: TcpStream) {
    let mut buffer = [0; 64];
    loop {
        if stream.write_all(b"hello").await.is_err() {
            return;
        }
        match tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await {
            Ok(Ok(read)) if read > 0 => {}
            _ => return,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn reply(mut stream: TcpStream, answer: String) {
    let mut asked = Vec::new();
    let mut buffer = [0; 4096];
    // A question of ours ends with two braces, and is no longer than a few of these.
    while !asked.ends_with(b"}") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => asked.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    let _ = stream.write_all((head + &answer).as_bytes()).await;
}
