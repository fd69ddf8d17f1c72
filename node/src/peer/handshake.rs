//! How two nodes make sure of each other.
//!
//! ```text
//! dialler   hello    magic, version, its id, whom it wants, a nonce, the chain id
//! acceptor  welcome  a nonce, its signature
//! dialler   proof    its signature
//! acceptor  accepted
//! ```
//!
//! Each signs the role it has, the chain id, both ids and both nonces with its node's key, so that nothing
//! said in one connection is of use in another. In place of `welcome` and `accepted` the acceptor may say
//! why it refuses.

use std::fmt;
use std::io;
use std::time::Duration;

use assay_model::id::NodeId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::Me;
use super::frame::{read, write_bare};

const MAGIC: &[u8; 8] = b"assaypr\n";
const VERSION: u8 = 1;

/// Largest frame of a handshake; a chain id has 200 bytes at most.
const MAX_HANDSHAKE: usize = 512;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(5);

const REFUSED: u8 = 0;
const GRANTED: u8 = 1;

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Version,
    Chain,
    Stranger,
    WrongNode,
    Signature,
}

impl Refusal {
    const ALL: [Refusal; 5] = [
        Refusal::Version,
        Refusal::Chain,
        Refusal::Stranger,
        Refusal::WrongNode,
        Refusal::Signature,
    ];

    fn byte(self) -> u8 {
        self as u8
    }

    fn of(byte: u8) -> Option<Refusal> {
        Refusal::ALL.get(usize::from(byte)).copied()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Version => "the dialler speaks another version of the peer protocol",
            Refusal::Chain => "the dialler belongs to another network",
            Refusal::Stranger => "the dialler is no other node of this network",
            Refusal::WrongNode => "the dialler wants another node than the one that listens here",
            Refusal::Signature => "the other side does not hold the key of the node it says it is",
        })
    }
}

/// Why two ends did not come together.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("{0}")]
    Io(#[from] io::Error),
    /// We refused.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// They refused.
    #[error("refused by the peer: {0}")]
    RefusedByPeer(Refusal),
    #[error("what came is no handshake: {0}")]
    Malformed(&'static str),
    #[error("the handshake took longer than {} s", PATIENCE.as_secs())]
    Slow,
}

/// Comes to terms with the peer at the other end of a connection we opened.
pub(super) async fn dial(
    me: &Me,
    peer: NodeId,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<(), Failed> {
    let done = timeout(PATIENCE, dial_patiently(me, peer, stream)).await;
    done.unwrap_or(Err(Failed::Slow))
}

/// Finds out who opened a connection to us.
pub(super) async fn accept(
    me: &Me,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<NodeId, Failed> {
    let done = timeout(PATIENCE, accept_patiently(me, stream)).await;
    done.unwrap_or(Err(Failed::Slow))
}

async fn dial_patiently(
    me: &Me,
    peer: NodeId,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<(), Failed> {
    let mut talk = Talk {
        dialler: me.id,
        acceptor: peer,
        nonces: [me.nonces.next(), [0; 32]],
    };
    write_bare(stream, &hello(me, &talk)).await?;
    let welcome = answer(stream).await?;
    let Some((nonce, signature)) = welcome.split_first_chunk::<32>() else {
        return Err(Failed::Malformed("a welcome without a nonce"));
    };
    talk.nonces[1] = *nonce;
    if !talk.signed_by(me, Role::Acceptor, signature) {
        return Err(Failed::Refused(Refusal::Signature));
    }
    write_bare(stream, &talk.sign(me, Role::Dialler)).await?;
    answer(stream).await.map(|_| ())
}

async fn accept_patiently(
    me: &Me,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<NodeId, Failed> {
    let hello = read(stream, MAX_HANDSHAKE, PATIENCE).await?;
    let mut talk = match understand(me, &hello)? {
        Ok(talk) => talk,
        Err(refusal) => return refuse(stream, refusal).await,
    };
    talk.nonces[1] = me.nonces.next();
    let mut welcome = vec![GRANTED];
    welcome.extend_from_slice(&talk.nonces[1]);
    welcome.extend_from_slice(&talk.sign(me, Role::Acceptor));
    write_bare(stream, &welcome).await?;
    let proof = read(stream, MAX_HANDSHAKE, PATIENCE).await?;
    if !talk.signed_by(me, Role::Dialler, &proof) {
        return refuse(stream, Refusal::Signature).await;
    }
    write_bare(stream, &[GRANTED]).await?;
    Ok(talk.dialler)
}

async fn refuse<T>(stream: &mut (impl AsyncWrite + Unpin), refusal: Refusal) -> Result<T, Failed> {
    write_bare(stream, &[REFUSED, refusal.byte()]).await?;
    Err(Failed::Refused(refusal))
}

/// What the acceptor says behind its consent.
async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, Failed> {
    let mut frame = read(stream, MAX_HANDSHAKE, PATIENCE).await?;
    match frame[..] {
        [GRANTED, ..] => {
            frame.remove(0);
            Ok(frame)
        }
        [REFUSED, reason] => match Refusal::of(reason) {
            Some(refusal) => Err(Failed::RefusedByPeer(refusal)),
            None => Err(Failed::Malformed("a refusal without a known reason")),
        },
        _ => Err(Failed::Malformed("neither consent nor refusal")),
    }
}

fn hello(me: &Me, talk: &Talk) -> Vec<u8> {
    let mut hello = MAGIC.to_vec();
    hello.push(VERSION);
    hello.extend_from_slice(&talk.dialler.0.to_le_bytes());
    hello.extend_from_slice(&talk.acceptor.0.to_le_bytes());
    hello.extend_from_slice(&talk.nonces[0]);
    hello.extend_from_slice(me.genesis.chain_id.as_bytes());
    hello
}

/// What a hello says, or what speaks against it.
fn understand(me: &Me, hello: &[u8]) -> Result<Result<Talk, Refusal>, Failed> {
    let Some(([magic @ .., version], rest)) = hello.split_first_chunk::<9>() else {
        return Err(Failed::Malformed("a short hello"));
    };
    if magic != MAGIC {
        return Err(Failed::Malformed("another protocol"));
    }
    if *version != VERSION {
        return Ok(Err(Refusal::Version));
    }
    let Some(([d0, d1, a0, a1, nonce @ ..], chain_id)) = rest.split_first_chunk::<36>() else {
        return Err(Failed::Malformed("a short hello"));
    };
    let dialler = NodeId(u16::from_le_bytes([*d0, *d1]));
    let acceptor = NodeId(u16::from_le_bytes([*a0, *a1]));
    let known = dialler.index() < me.genesis.nodes.len() && dialler != me.id;
    Ok(if chain_id != me.genesis.chain_id.as_bytes() {
        Err(Refusal::Chain)
    } else if !known {
        Err(Refusal::Stranger)
    } else if acceptor != me.id {
        Err(Refusal::WrongNode)
    } else {
        let mut nonces = [[0; 32]; 2];
        nonces[0].copy_from_slice(nonce);
        Ok(Talk {
            dialler,
            acceptor,
            nonces,
        })
    })
}

#[derive(Clone, Copy)]
enum Role {
    Dialler,
    Acceptor,
}

/// What both ends know once they have said hello.
struct Talk {
    dialler: NodeId,
    acceptor: NodeId,
    /// The dialler's and the acceptor's.
    nonces: [[u8; 32]; 2],
}

impl Talk {
    fn text(&self, chain_id: &str, role: Role) -> Vec<u8> {
        let mut text = b"assay peer handshake\n".to_vec();
        text.push(VERSION);
        text.push(match role {
            Role::Dialler => b'd',
            Role::Acceptor => b'a',
        });
        text.extend_from_slice(&self.dialler.0.to_le_bytes());
        text.extend_from_slice(&self.acceptor.0.to_le_bytes());
        text.extend_from_slice(self.nonces.as_flattened());
        text.extend_from_slice(chain_id.as_bytes());
        text
    }

    fn sign(&self, me: &Me, role: Role) -> Vec<u8> {
        let text = self.text(&me.genesis.chain_id, role);
        me.suite.sign(&me.key, &text)
    }

    fn signed_by(&self, me: &Me, role: Role, signature: &[u8]) -> bool {
        let signer = match role {
            Role::Dialler => self.dialler,
            Role::Acceptor => self.acceptor,
        };
        let identity = me.genesis.nodes.get(signer.index());
        let text = self.text(&me.genesis.chain_id, role);
        identity.is_some_and(|identity| me.suite.verify(identity, &text, signature))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use assay_model::crypto::{KdfMemo, Real, SigningKey, Suite};
    use assay_model::node::Genesis;

    use super::*;
    use crate::testing::{genesis, node_key};

    const N1: NodeId = NodeId(0);
    const N2: NodeId = NodeId(1);

    fn node(id: NodeId, key: SigningKey, change: impl FnOnce(&mut Genesis)) -> Me {
        let suite: Arc<dyn Suite> = Arc::new(Real::new(Arc::new(KdfMemo::new())));
        let mut genesis = (*genesis(&*suite, 3)).clone();
        change(&mut genesis);
        Me::new(id, key, suite, Arc::new(genesis), [id.0 as u8; 32])
    }

    fn sound(id: NodeId) -> Me {
        node(id, node_key(id), |_| {})
    }

    /// What either end comes to when the first dials the second and takes it for n2.
    async fn meet(dialler: Me, acceptor: Me) -> (String, String) {
        let (mut near, mut far) = tokio::io::duplex(1_024);
        let (dialled, accepted) = tokio::join!(
            async {
                let dialled = dial(&dialler, N2, &mut near).await;
                drop(near);
                dialled
            },
            accept(&acceptor, &mut far),
        );
        let told = |failed: Failed| failed.to_string();
        (
            dialled.map_or_else(told, |()| "in".to_owned()),
            accepted.map_or_else(told, |node| node.to_string()),
        )
    }

    #[tokio::test]
    async fn two_nodes_of_one_network_come_together() {
        let (dialled, accepted) = meet(sound(N1), sound(N2)).await;
        assert_eq!((&*dialled, &*accepted), ("in", "n1"));
    }

    #[tokio::test]
    async fn who_does_not_belong_here_is_refused_and_told_why() {
        let elsewhere = |genesis: &mut Genesis| genesis.chain_id = "other".into();
        let larger = |genesis: &mut Genesis| genesis.nodes.extend(genesis.nodes.clone());
        let table = [
            (node(N1, node_key(N1), elsewhere), sound(N2), Refusal::Chain),
            (
                node(NodeId(4), node_key(N1), larger),
                sound(N2),
                Refusal::Stranger,
            ),
            (sound(N2), sound(N2), Refusal::Stranger),
            (sound(N1), sound(NodeId(2)), Refusal::WrongNode),
            (
                node(N1, node_key(NodeId(2)), |_| {}),
                sound(N2),
                Refusal::Signature,
            ),
        ];
        for (dialler, acceptor, refusal) in table {
            let (dialled, accepted) = meet(dialler, acceptor).await;
            assert_eq!(dialled, format!("refused by the peer: {refusal}"));
            assert_eq!(accepted, format!("refused: {refusal}"));
        }
    }

    #[tokio::test]
    async fn an_acceptor_without_the_key_is_refused_too() {
        let impostor = node(N2, node_key(NodeId(2)), |_| {});
        let (dialled, accepted) = meet(sound(N1), impostor).await;
        assert_eq!(dialled, format!("refused: {}", Refusal::Signature));
        assert_ne!(accepted, "n1");
    }

    #[tokio::test]
    async fn another_version_and_other_protocols_are_refused() {
        let acceptor = sound(N2);
        let mut later = MAGIC.to_vec();
        later.push(VERSION + 1);
        let table: [(&[u8], &str); 4] = [
            (
                &later,
                "refused: the dialler speaks another version of the peer protocol",
            ),
            (
                b"GET / HTTP/1.1",
                "what came is no handshake: another protocol",
            ),
            (b"short", "what came is no handshake: a short hello"),
            (
                &[MAGIC, &[VERSION][..]].concat(),
                "what came is no handshake: a short hello",
            ),
        ];
        for (hello, told) in table {
            let (mut near, mut far) = tokio::io::duplex(1_024);
            write_bare(&mut near, hello).await.unwrap();
            let failed = accept(&acceptor, &mut far).await.unwrap_err();
            assert_eq!(failed.to_string(), told);
        }
    }

    #[tokio::test]
    async fn what_was_said_once_is_no_proof_a_second_time() {
        let (dialler, acceptor) = (sound(N1), sound(N2));
        let mut talk = Talk {
            dialler: N1,
            acceptor: N2,
            nonces: [dialler.nonces.next(), acceptor.nonces.next()],
        };
        let proof = talk.sign(&dialler, Role::Dialler);
        assert!(talk.signed_by(&acceptor, Role::Dialler, &proof));
        assert!(!talk.signed_by(&acceptor, Role::Acceptor, &proof));
        talk.nonces[1] = acceptor.nonces.next();
        assert!(!talk.signed_by(&acceptor, Role::Dialler, &proof));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_not_waited_for() {
        let (_near, mut far) = tokio::io::duplex(1_024);
        let failed = accept(&sound(N2), &mut far).await.unwrap_err();
        assert!(matches!(failed, Failed::Slow | Failed::Io(_)), "{failed}");
    }
}
