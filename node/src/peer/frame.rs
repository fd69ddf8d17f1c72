//! Frames: a length in four bytes, little-endian, and that many bytes, of which the first is the kind.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Largest frame; a full block fits with room to spare.
pub(super) const MAX_FRAME: usize = 16 << 20;

/// A frame as it is written, shared by all it goes to.
pub(crate) type Frame = Arc<[u8]>;

/// What is in a frame once both ends know each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing; says that the sender lives.
    Heartbeat,
    /// A message of the node.
    Message,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Kind::Heartbeat => 0,
            Kind::Message => 1,
        }
    }

    pub(super) const fn of(byte: u8) -> Option<Kind> {
        match byte {
            0 => Some(Kind::Heartbeat),
            1 => Some(Kind::Message),
            _ => None,
        }
    }
}

/// A frame of this kind; none if it is too large.
pub(super) fn frame(kind: Kind, body: &[u8]) -> Option<Frame> {
    let length = body.len() + 1;
    if length > MAX_FRAME {
        return None;
    }
    let mut bytes = Vec::with_capacity(length + 4);
    bytes.extend_from_slice(&(length as u32).to_le_bytes());
    bytes.push(kind.byte());
    bytes.extend_from_slice(body);
    Some(bytes.into())
}

/// Writes a frame without a kind, as handshakes are made of.
pub(super) async fn write_bare(
    stream: &mut (impl AsyncWrite + Unpin),
    body: &[u8],
) -> io::Result<()> {
    let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// Reads the next frame of at most `max` bytes. An error if nothing at all comes for a while, so that a
/// large frame may take its time. Memory grows with what has come, not with what is claimed.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    max: usize,
    patience: Duration,
) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    silence(timeout(patience, stream.read_exact(&mut length)).await)?;
    let length = u32::from_le_bytes(length) as usize;
    if length == 0 || length > max {
        let told = format!("a frame of {length} bytes; 1 to {max} are taken");
        return Err(io::Error::new(io::ErrorKind::InvalidData, told));
    }
    let mut body = Vec::with_capacity(length.min(64 << 10));
    let mut rest = stream.take(length as u64);
    while body.len() < length {
        let came = silence(timeout(patience, rest.read_buf(&mut body)).await)?;
        if came == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(body)
}

/// Writes all of it. An error if nothing at all can be written for a while.
pub(super) async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    mut bytes: &[u8],
    patience: Duration,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = silence(timeout(patience, stream.write(bytes)).await)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
    }
    silence(timeout(patience, stream.flush()).await)
}

fn silence<T>(done: Result<io::Result<T>, tokio::time::error::Elapsed>) -> io::Result<T> {
    done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(15);

    async fn read_all(bytes: &[u8], max: usize) -> Vec<io::Result<Vec<u8>>> {
        let mut left = bytes;
        let mut frames = Vec::new();
        while !left.is_empty() {
            frames.push(read(&mut left, max, PATIENCE).await);
            if frames.last().is_some_and(Result::is_err) {
                break;
            }
        }
        frames
    }

    #[tokio::test]
    async fn frames_are_read_as_they_were_written() {
        let bodies: [&[u8]; 3] = [b"", b"x", &[7; 100_000]];
        let mut bytes = Vec::new();
        for body in bodies {
            bytes.extend_from_slice(&frame(Kind::Message, body).unwrap());
        }
        let frames = read_all(&bytes, MAX_FRAME).await;
        for (frame, body) in frames.into_iter().zip(bodies) {
            let frame = frame.unwrap();
            assert_eq!(Kind::of(frame[0]), Some(Kind::Message));
            assert!(frame[1..] == *body);
        }
    }

    #[tokio::test]
    async fn frames_that_are_empty_or_large_or_cut_are_refused() {
        let table: [&[u8]; 4] = [&[0, 0, 0, 0], &[9, 0, 0, 0, 1], &[2, 0, 0, 0, 1], &[1, 0]];
        for bytes in table {
            let frames = read_all(bytes, 8).await;
            assert!(frames[0].is_err(), "{bytes:?}");
        }
        assert!(frame(Kind::Message, &vec![0; MAX_FRAME]).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_an_error_on_either_side() {
        let (mut one, mut other) = tokio::io::duplex(8);
        let read = read(&mut one, 8, PATIENCE).await.unwrap_err();
        assert_eq!(read.kind(), io::ErrorKind::TimedOut);
        let written = write(&mut other, &[0; 9], PATIENCE).await.unwrap_err();
        assert_eq!(written.kind(), io::ErrorKind::TimedOut);
    }
}
