//! Finds nodes that go round their links: a fault of a link is none for who does not use it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use assay_model::id::NodeId;
use rustix::process::Pid;

/// An established connection of a process to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The socket's number.
    pub inode: u64,
    /// The near end.
    pub from: SocketAddr,
    /// The far end.
    pub to: SocketAddr,
}

/// Processes of a node, and where nodes really listen.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Real addresses, and whose they are. Nobody but a proxy has business there.
    pub places: BTreeMap<SocketAddr, NodeId>,
    /// Processes of every running node.
    pub nodes: Vec<(NodeId, Vec<Pid>)>,
}

impl Watch {
    /// Connections that do not go through a proxy, as sentences. Blocks for some file reads.
    pub fn look(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        // A table is long where many processes share a network, and most do.
        let mut tables: BTreeMap<Option<PathBuf>, Vec<Connection>> = BTreeMap::new();
        for (node, processes) in &self.nodes {
            for pid in processes {
                let network = format!("/proc/{}/ns/net", pid.as_raw_nonzero());
                let table = tables.entry(fs::read_link(network).ok());
                let connections = table.or_insert_with(|| established(*pid));
                if !connections.iter().any(|one| self.is_foreign(*node, one)) {
                    continue;
                }
                // Every socket of the machine is listed, so ask which of them are this process's.
                let own = sockets(*pid);
                let around = connections
                    .iter()
                    .filter(|one| self.is_foreign(*node, one) && own.contains(&one.inode));
                for connection in around {
                    let to = self.places[&connection.to];
                    found.insert(format!(
                        "{node} is connected to {to} at {} and not through its proxy, so faults of that link do not reach it",
                        connection.to
                    ));
                }
            }
        }
        found
    }

    fn is_foreign(&self, node: NodeId, connection: &Connection) -> bool {
        self.places
            .get(&connection.to)
            .is_some_and(|owner| *owner != node)
    }
}

/// Established connections in the network a process is in.
fn established(pid: Pid) -> Vec<Connection> {
    let table = |name: &str| {
        let path = format!("/proc/{}/net/{name}", pid.as_raw_nonzero());
        fs::read_to_string(path).unwrap_or_default()
    };
    let (four, six) = (table("tcp"), table("tcp6"));
    four.lines()
        .chain(six.lines())
        .skip(1)
        .filter_map(connection)
        .collect()
}

/// One line of the table; nothing for the heading and other states than ESTABLISHED. Source: proc_net_tcp(5).
fn connection(line: &str) -> Option<Connection> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, from, to, "01", ..] = fields.as_slice() else {
        return None;
    };
    Some(Connection {
        inode: fields.get(9)?.parse().ok()?,
        from: address(from)?,
        to: address(to)?,
    })
}

/// `0100007F:1F90`: words of an address as this machine has them in memory, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (words, port) = text.split_once(':')?;
    let mut bytes = Vec::new();
    for at in (0..words.len()).step_by(8) {
        let word = u32::from_str_radix(words.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip = match bytes.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// Numbers of the sockets a process has open.
fn sockets(pid: Pid) -> BTreeSet<u64> {
    let path = format!("/proc/{}/fd", pid.as_raw_nonzero());
    let Ok(entries) = fs::read_dir(Path::new(&path)) else {
        return BTreeSet::new();
    };
    let inode = |entry: std::io::Result<fs::DirEntry>| {
        let target = fs::read_link(entry.ok()?.path()).ok()?;
        let name = target.to_str()?;
        name.strip_prefix("socket:[")?
            .strip_suffix(']')?
            .parse()
            .ok()
    };
    entries.filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        if cfg!(target_endian = "big") {
            return;
        }
        let table = [
            ("0100007F:1F90", "127.0.0.1:8080"),
            ("0000000000000000FFFF00000403027F:0050", "127.2.3.4:80"),
            ("00000000000000000000000001000000:0050", "[::1]:80"),
        ];
        for (text, expected) in table {
            assert_eq!(address(text), expected.parse().ok(), "{text}");
        }
        for wrong in [
            "",
            "0100007F",
            "0100007:1F90",
            "XXXXXXXX:1F90",
            "0100007F:FFFFF",
        ] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_connection_of_a_node_to_another_is_found_and_one_to_itself_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = listener.local_addr().unwrap();
        let watch = |owner| Watch {
            places: BTreeMap::from([(place, owner)]),
            nodes: vec![(NodeId(0), vec![rustix::process::getpid()])],
        };
        assert!(
            watch(NodeId(1)).look().is_empty(),
            "nobody is connected yet"
        );
        let connected = TcpStream::connect(place).unwrap();
        let found = watch(NodeId(1)).look();
        assert!(
            found
                .iter()
                .all(|doubt| doubt.starts_with("n1 is connected to n2 at"))
        );
        assert_eq!(found.len(), 1);
        assert!(watch(NodeId(0)).look().is_empty(), "it may talk to itself");
        drop(connected);
    }
}
