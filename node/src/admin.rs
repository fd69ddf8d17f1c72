//! Speaking to a running node as its operator: JSON-RPC over HTTP to its admin listener.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer that is read.
const ANSWER: usize = 1 << 20;

/// Why the operator got no answer, or another one than hoped for.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Nobody is there, or not for long enough.
    #[error("{address}: {why}; is the node running, with --admin {address}?")]
    Unreachable {
        /// Where the node was looked for.
        address: SocketAddr,
        /// What happened.
        why: String,
    },
    /// The node says no.
    #[error("the node refuses: {message} (code {code})")]
    Refused {
        /// The error's code.
        code: i64,
        /// The node's words.
        message: String,
    },
}

/// Tells the node at this address that the operators have agreed on a leader: `admin.val_promote` with
/// `{leader, term}`. It has to be said to every node. Source: kwil-rpc 7 (replace-leader).
pub fn appoint(address: SocketAddr, term: u32, leader: &str) -> Result<(), AdminError> {
    let params = json!({ "leader": leader, "term": term });
    call(address, "admin.val_promote", params).map(|_| ())
}

/// Calls one method and returns its result.
fn call(address: SocketAddr, method: &str, params: Value) -> Result<Value, AdminError> {
    let unreachable = |why: String| AdminError::Unreachable { address, why };
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| unreachable(error.to_string()))?;
    let answer = runtime
        .block_on(async { timeout(PATIENCE, post(address, body.to_string())).await })
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        .map_err(|error| unreachable(error.to_string()))?;
    let answer: Value = serde_json::from_slice(&answer)
        .map_err(|error| unreachable(format!("what came is no JSON-RPC: {error}")))?;
    match (answer.get("result"), answer.get("error")) {
        (Some(result), None) => Ok(result.clone()),
        (_, Some(error)) => Err(AdminError::Refused {
            code: error["code"].as_i64().unwrap_or_default(),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
        }),
        (None, None) => Err(unreachable("what came is no JSON-RPC".to_owned())),
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

async fn post(address: SocketAddr, body: String) -> Result<Bytes, Failed> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post("/rpc/v1")
        .header(HOST, address.to_string())
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let answered = async {
        let response = sender.send_request(request).await?;
        let body = Limited::new(response.into_body(), ANSWER).collect().await?;
        Ok::<_, Failed>(body.to_bytes())
    };
    tokio::pin!(answered, connection);
    tokio::select! {
        biased;
        answer = &mut answered => answer,
        ended = &mut connection => {
            ended?;
            // The answer may have come whole before the end.
            answered.await
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// A server that answers one request with this body, and what it was asked.
    fn answered(body: &'static str) -> (Result<(), AdminError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"}}") {
                let mut buffer = [0; 1_024];
                let read = stream.read(&mut buffer).unwrap();
                assert!(read > 0, "the request ends too early");
                asked.extend_from_slice(&buffer[..read]);
            }
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
            String::from_utf8(asked).unwrap()
        });
        let appointed = appoint(address, 3, "n2");
        (appointed, server.join().unwrap())
    }

    #[test]
    fn an_appointment_is_said_as_the_admin_service_understands_it() {
        let (appointed, asked) = answered(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        appointed.unwrap();
        assert!(asked.starts_with("POST /rpc/v1 HTTP/1.1\r\n"), "{asked}");
        let body: Value = serde_json::from_str(asked.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(body["method"], "admin.val_promote");
        assert_eq!(body["params"], json!({ "leader": "n2", "term": 3 }));
    }

    #[test]
    fn a_refusal_and_a_silence_are_told_apart() {
        let refusal = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-5,"message":"stale"}}"#;
        let (appointed, _) = answered(refusal);
        let told = appointed.unwrap_err().to_string();
        assert_eq!(told, "the node refuses: stale (code -5)");
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let told = appoint(nobody.unwrap(), 1, "n1").unwrap_err().to_string();
        assert!(told.contains("is the node running"), "{told}");
    }
}
