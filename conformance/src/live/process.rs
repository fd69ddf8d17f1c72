//! Processes of a target: each in a process group of its own, heard through pipes, and always reaped.
//!
//! A node is ended with its group when it is dropped, whatever the reason; so an interrupt must be turned
//! into an ordinary return (`tokio::signal`), because a process that dies of a signal drops nothing. The
//! kernel's own way, a signal to children whose parent died, has to be asked for between fork and exec,
//! which takes unsafe code; who kills the harness with SIGKILL leaves nodes behind, and every one of them
//! has [`MARK`] in its environment to be found by.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Environment variable every process of a network carries, with the network's and the node's name.
pub const MARK: &str = "ASSAY_NODE";

/// Most bytes of a log; what comes after that is read and thrown away.
const LOG_MOST: u64 = 64 << 20;
/// Last bytes kept in memory, for messages.
const TAIL_MOST: usize = 4 << 10;
/// Most bytes of an answer a command may print.
const ANSWER_MOST: u64 = 64 << 20;
/// How long a killed process may take to be gone. Only a disk that hangs makes it take any time.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// A command with everything filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// What is added to the environment.
    pub environment: Vec<(String, String)>,
    /// Value of [`MARK`].
    pub mark: String,
    /// Where it runs.
    pub directory: PathBuf,
}

impl Invocation {
    /// As somebody would type it.
    pub fn shown(&self) -> String {
        let quoted = |word: &String| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,{}@#+".contains(c);
            match !word.is_empty() && word.chars().all(plain) {
                true => word.clone(),
                false => format!("'{}'", word.replace('\'', r"'\''")),
            }
        };
        self.argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.argv[0]);
        command
            .args(&self.argv[1..])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env(MARK, &self.mark)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

/// What a process wrote: a file of bounded size, and its end in memory.
#[derive(Debug)]
struct Log {
    file: File,
    left: u64,
    tail: VecDeque<u8>,
}

type SharedLog = Arc<Mutex<Log>>;

impl Log {
    fn open(path: &Path) -> std::io::Result<SharedLog> {
        let file = File::options().create(true).append(true).open(path)?;
        let left = LOG_MOST.saturating_sub(file.metadata()?.len());
        Ok(Arc::new(Mutex::new(Log {
            file,
            left,
            tail: VecDeque::new(),
        })))
    }

    fn write(&mut self, bytes: &[u8]) {
        let room = bytes
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= room as u64;
        // A full disk shows wherever results are written; a log is not worth ending a run for.
        let _ = self.file.write_all(&bytes[..room]);
        self.tail.extend(bytes);
        let excess = self.tail.len().saturating_sub(TAIL_MOST);
        self.tail.drain(..excess);
    }
}

fn locked(log: &SharedLog) -> std::sync::MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(mut pipe: impl AsyncRead + Unpin, log: SharedLog) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read) = pipe.read(&mut buffer).await
        && read > 0
    {
        locked(&log).write(&buffer[..read]);
    }
}

/// A running process of a target, leader of its group.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Pid,
    mark: String,
    shown: String,
    log: SharedLog,
    listeners: Vec<JoinHandle<()>>,
    paused: bool,
    ended: Option<ExitStatus>,
    /// Whether what it left behind has been ended.
    cleared: bool,
}

impl Process {
    /// Starts a process whose output goes to the end of a log.
    ///
    /// # Errors
    ///
    /// The command and what the system says, when it cannot be started.
    pub fn start(invocation: &Invocation, log: &Path) -> Result<Process, String> {
        let shown = invocation.shown();
        let opened =
            Log::open(log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        let mut child = invocation
            .command()
            .spawn()
            .map_err(|error| format!("cannot run `{shown}`: {error}"))?;
        let group = child.id().and_then(|id| Pid::from_raw(id as i32));
        let group = group.ok_or_else(|| format!("`{shown}` ended before it was seen"))?;
        let mut listeners = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            listeners.push(tokio::spawn(listen(pipe, opened.clone())));
        }
        if let Some(pipe) = child.stderr.take() {
            listeners.push(tokio::spawn(listen(pipe, opened.clone())));
        }
        Ok(Process {
            child,
            group,
            mark: invocation.mark.clone(),
            shown,
            log: opened,
            listeners,
            paused: false,
            ended: None,
            cleared: false,
        })
    }

    /// Its process group.
    pub fn group(&self) -> Pid {
        self.group
    }

    /// Whether it is there, paused or not.
    pub fn is_up(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended.is_none()
    }

    /// How it ended, with command, status and the last lines it wrote; nothing while it runs.
    pub async fn obituary(&mut self) -> Option<String> {
        if self.is_up() {
            return None;
        }
        self.hear_out().await;
        let status = match self.ended {
            Some(status) => status.to_string(),
            None => "a status nobody saw".to_owned(),
        };
        let tail = self.tail();
        let said = match tail.is_empty() {
            true => "it wrote nothing".to_owned(),
            false => format!("its last lines:\n{tail}"),
        };
        Some(format!("`{}` ended with {status}; {said}", self.shown))
    }

    /// The last lines it wrote.
    pub fn tail(&self) -> String {
        const LINES: usize = 12;
        let bytes: Vec<u8> = locked(&self.log).tail.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.trim_end().lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    /// Stops it from doing anything, with its whole group.
    pub fn pause(&mut self) {
        self.signal(Signal::STOP);
        self.paused = true;
    }

    /// Lets it go on.
    pub fn resume(&mut self) {
        self.signal(Signal::CONT);
        self.paused = false;
    }

    /// Whether the system says that every process of the group is stopped.
    pub fn is_stopped(&self) -> bool {
        let members = members(self.group, &self.mark);
        !members.is_empty() && members.iter().all(Member::is_stopped)
    }

    /// Processes of the group, and those that left it but carry its mark.
    pub fn members(&self) -> Vec<Member> {
        members(self.group, &self.mark)
    }

    /// Ends it and its group at once, and waits until nothing is left. Returns what is wrong if something
    /// is.
    pub async fn kill(mut self) -> Option<String> {
        self.signal(Signal::KILL);
        let gone = timeout(GONE_WITHIN, self.child.wait()).await;
        if let Ok(Ok(status)) = gone {
            self.ended = Some(status);
        }
        self.finish().await
    }

    /// Asks it to end, by a signal to its group or by a command, and kills it when it does not within the
    /// limit. Says whether it ended by itself, and what is wrong if something is.
    pub async fn stop(
        mut self,
        signal: Signal,
        command: Option<&Invocation>,
        limit: Duration,
    ) -> (bool, Option<String>) {
        if self.paused {
            self.resume();
        }
        match command {
            Some(command) => {
                // Whatever it says, what counts is whether the node ends.
                let _ = run(command, limit).await;
            }
            None => self.signal(signal),
        }
        match timeout(limit, self.child.wait()).await {
            Ok(Ok(status)) => {
                self.ended = Some(status);
                (true, self.finish().await)
            }
            _ => (false, self.kill().await),
        }
    }

    /// After the end of the group's leader: ends what it left behind, and waits for the last of its words.
    async fn finish(mut self) -> Option<String> {
        let left = self.members();
        end_all(&left);
        self.cleared = true;
        self.hear_out().await;
        let mut waited = Duration::ZERO;
        while !self.members().is_empty() && waited < GONE_WITHIN {
            tokio::time::sleep(POLL).await;
            waited += POLL;
        }
        let escaped: Vec<&Member> = left
            .iter()
            .filter(|member| member.group != self.group)
            .collect();
        let survivors = self.members();
        if !survivors.is_empty() {
            return Some(format!(
                "{} processes of `{}` survived SIGKILL: {}",
                survivors.len(),
                self.shown,
                pids(survivors.iter())
            ));
        }
        (!escaped.is_empty()).then(|| {
            format!(
                "`{}` left processes outside of its process group, where no fault reaches them: {}",
                self.shown,
                pids(escaped.into_iter())
            )
        })
    }

    /// Waits for the last words of a process that has ended.
    async fn hear_out(&mut self) {
        for mut listener in self.listeners.drain(..) {
            // A pipe that somebody else keeps open must not keep us.
            if timeout(Duration::from_secs(1), &mut listener)
                .await
                .is_err()
            {
                listener.abort();
            }
        }
    }

    fn signal(&self, signal: Signal) {
        // Once its leader is reaped the group's number may belong to somebody else.
        if self.ended.is_none() {
            let _ = kill_process_group(self.group, signal);
        }
    }
}

const POLL: Duration = Duration::from_millis(5);

impl Drop for Process {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
        if self.cleared {
            return;
        }
        self.signal(Signal::KILL);
        // Whoever drops it may be on the way out of the runtime, so that nothing could be awaited.
        let mut waited = Duration::ZERO;
        while self.is_up() && waited < GONE_WITHIN {
            std::thread::sleep(POLL);
            waited += POLL;
        }
        end_all(&self.members());
    }
}

fn end_all(members: &[Member]) {
    for member in members {
        // It may have ended meanwhile.
        let _ = kill_process(member.pid, Signal::KILL);
    }
}

fn pids<'a>(members: impl Iterator<Item = &'a Member>) -> String {
    let shown = members.map(|member| format!("{} ({})", member.pid.as_raw_nonzero(), member.name));
    shown.collect::<Vec<_>>().join(", ")
}

/// A process as `/proc` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub pid: Pid,
    /// Its process group.
    pub group: Pid,
    /// Its program's name.
    pub name: String,
    /// Its state as one letter; `T` is stopped. Source: proc(5).
    pub state: char,
}

impl Member {
    /// Whether every thread of it is stopped: the signal reaches one, which tells the others when its turn
    /// comes, and they go on until then.
    fn is_stopped(&self) -> bool {
        let tasks = format!("/proc/{}/task", self.pid.as_raw_nonzero());
        let Ok(tasks) = std::fs::read_dir(tasks) else {
            return false;
        };
        tasks.flatten().all(|task| {
            let stat = std::fs::read_to_string(task.path().join("stat"));
            // A thread that has ended meanwhile does nothing either.
            stat.map_or(true, |stat| state(&stat) == Some('T'))
        })
    }
}

/// A living process, and the mark it carries.
#[derive(Clone, Debug)]
pub(crate) struct Scanned {
    pub(crate) member: Member,
    mark: Option<Vec<u8>>,
}

impl Scanned {
    /// Whether it is in a group, or carries a mark, whichever group it is in.
    pub(crate) fn belongs(&self, group: Pid, mark: &str) -> bool {
        self.member.group == group || self.mark.as_deref() == Some(mark.as_bytes())
    }
}

/// Every living process of this machine that may be looked at, by number.
pub(crate) fn scan() -> Vec<Scanned> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut found: Vec<Scanned> = entries
        .filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let member = member(pid)?;
            // A zombie does nothing any more; its parent reaps it, which may be init.
            let lives = !matches!(member.state, 'Z' | 'X');
            lives.then(|| Scanned {
                member,
                mark: mark(pid),
            })
        })
        .collect();
    found.sort_by_key(|scanned| scanned.member.pid.as_raw_nonzero());
    found
}

fn mark(pid: i32) -> Option<Vec<u8>> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut entries = environment.split(|byte| *byte == 0);
    let value = entries.find_map(|entry| entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"="));
    value.map(<[u8]>::to_vec)
}

/// Living processes of a group, or with a mark.
fn members(group: Pid, mark: &str) -> Vec<Member> {
    let scanned = scan().into_iter();
    scanned
        .filter(|scanned| scanned.belongs(group, mark))
        .map(|scanned| scanned.member)
        .collect()
}

fn member(pid: i32) -> Option<Member> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in brackets and may hold anything.
    let (head, rest) = stat.rsplit_once(") ")?;
    let (_, name) = head.split_once('(')?;
    // A process that is about to be gone has -1 here.
    let group = rest.split(' ').nth(2)?;
    let group = group.parse().ok().filter(|group| *group > 0)?;
    Some(Member {
        pid: Pid::from_raw(pid)?,
        group: Pid::from_raw(group)?,
        name: name.to_owned(),
        state: state(&stat)?,
    })
}

/// The state in a `stat` file, whose name is in brackets and may hold anything.
fn state(stat: &str) -> Option<char> {
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.chars().next()
}

/// What a command that ends by itself printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: Vec<u8>,
}

/// Runs a command that ends by itself.
///
/// # Errors
///
/// The command, what became of it, and what it wrote, when it cannot be run, fails or takes too long.
pub async fn run(invocation: &Invocation, limit: Duration) -> Result<Printed, String> {
    let shown = invocation.shown();
    let mut child = invocation
        .command()
        .spawn()
        .map_err(|error| format!("cannot run `{shown}`: {error}"))?;
    let group = child.id().and_then(|id| Pid::from_raw(id as i32));
    let mut guard = GroupGuard(group);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let all = async { tokio::join!(gather(out), gather(err), child.wait()) };
    let Ok((out, err, status)) = timeout(limit, all).await else {
        drop(guard);
        let _ = child.wait().await;
        return Err(format!(
            "`{shown}` took longer than {} s and was ended",
            limit.as_secs_f32()
        ));
    };
    // It is reaped, so its number may become somebody else's.
    guard.0 = None;
    if let Some(group) = group {
        end_all(&members(group, &invocation.mark));
    }
    match status {
        Ok(status) if status.success() => Ok(Printed { out, err }),
        Ok(status) => Err(format!(
            "`{shown}` ended with {status}; {}",
            said(&out, &err)
        )),
        Err(error) => Err(format!("`{shown}` cannot be waited for: {error}")),
    }
}

fn said(out: &[u8], err: &[u8]) -> String {
    let written = if err.trim_ascii().is_empty() {
        out
    } else {
        err
    };
    let text = String::from_utf8_lossy(written);
    match text.trim() {
        "" => "it wrote nothing".to_owned(),
        text => {
            let lines: Vec<&str> = text.lines().collect();
            let shown = lines[lines.len().saturating_sub(12)..].join("\n");
            format!("its last lines:\n{shown}")
        }
    }
}

async fn gather(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read until a pipe broke is what there is.
        let _ = pipe.take(ANSWER_MOST).read_to_end(&mut bytes).await;
    }
    bytes
}

/// Ends a group when a command is given up, also when its future is dropped.
struct GroupGuard(Option<Pid>);

impl Drop for GroupGuard {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
