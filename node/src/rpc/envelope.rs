//! The envelope of a request and of its answer, and the HTTP status they travel under.
//! Source: kwil-rpc 1 and kwil-db's JSON-RPC server.

use serde::Serialize;
use serde_json::{Map, Number, Value as Json, json};

/// Largest request body in bytes. Source: kwil-rpc 1, `rpc.max_req_size`.
pub const MAX_REQUEST: usize = 6_000_000;

const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Names a request towards its client: text that is not empty, or a number that is not zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Id {
    /// Text.
    Text(String),
    /// A number, written back as it came.
    Number(Number),
}

impl Id {
    fn parse(json: &Json) -> Option<Id> {
        match json {
            Json::String(text) if !text.is_empty() => Some(Id::Text(text.clone())),
            Json::Number(number) if number.as_f64() != Some(0.0) => {
                Some(Id::Number(number.clone()))
            }
            _ => None,
        }
    }
}

/// One request, of which only the envelope has been looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// To answer under.
    pub id: Id,
    /// Service and method, not empty.
    pub method: String,
    /// Null when they were left out.
    pub params: Json,
}

impl Request {
    /// Reads what was sent to `/rpc/v1`. An error is the whole answer, HTTP status included.
    ///
    /// One thing is narrower than in the node, which takes lists, objects and `true` for an id: kwil-rpc 1
    /// allows text and numbers alone.
    pub fn parse(http_method: &str, body: &[u8]) -> Result<Request, Response> {
        if http_method != "POST" {
            return Err(Response::text(405, "POST required for JSON-RPC"));
        }
        if body.len() > MAX_REQUEST {
            return Err(Response::unread());
        }
        let malformed = || Response::error(&json!(-1), RpcError::new(-32_700, "invalid request"));
        let mut members = match serde_json::from_slice(body) {
            Ok(Json::Object(members)) => members,
            // Go reads null into any structure and leaves it empty.
            Ok(Json::Null) => Map::new(),
            Ok(_) | Err(_) => return Err(malformed()),
        };
        let version = text_member(&members, "jsonrpc").ok_or_else(malformed)?;
        let method = text_member(&members, "method").ok_or_else(malformed)?;
        let raw_id = members.get("id").cloned().unwrap_or(Json::Null);
        let id = match Id::parse(&raw_id) {
            Some(id) if version == "2.0" => id,
            _ => {
                let error = RpcError::new(-32_600, "invalid json-rpc request object");
                return Err(Response::error(&raw_id, error));
            }
        };
        if method.is_empty() {
            let error = RpcError::new(-32_601, "no route was supplied");
            return Err(Response::error(&id, error));
        }
        let params = members.remove("params").unwrap_or(Json::Null);
        Ok(Request { id, method, params })
    }

    /// The body a client sends.
    pub fn to_json(&self) -> Json {
        json!({ "jsonrpc": "2.0", "id": self.id, "method": self.method, "params": self.params })
    }
}

/// A text member; empty when missing or null, none when it is something else.
fn text_member(members: &Map<String, Json>, key: &str) -> Option<String> {
    match members.get(key) {
        None | Some(Json::Null) => Some(String::new()),
        Some(Json::String(text)) => Some(text.clone()),
        Some(_) => None,
    }
}

/// What is wrong, in the envelope's own form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RpcError {
    /// Source: kwil-rpc 3.
    pub code: i32,
    /// For people; few clients look at it.
    pub message: String,
    /// Left out when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Json>,
}

impl RpcError {
    /// Without data.
    pub fn new(code: i32, message: impl Into<String>) -> RpcError {
        RpcError {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// The status the error travels under. The package throws on 400 without reading the body, so the
    /// split is part of the protocol.
    pub const fn status(&self) -> u16 {
        match self.code {
            -32_601 => 404,
            -32_602 | -32_600 | -32_700 => 400,
            -32_603 => 500,
            _ => 200,
        }
    }
}

/// An answer, ready for HTTP. The connection is closed after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// None when there is no body.
    pub content_type: Option<&'static str>,
    /// As sent.
    pub body: String,
}

#[derive(Serialize)]
struct Envelope<'a, I, R> {
    jsonrpc: &'static str,
    id: &'a I,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RpcError>,
}

impl Response {
    /// Success.
    pub fn result(id: &Id, result: &impl Serialize) -> Response {
        Response::json(
            200,
            &Envelope {
                jsonrpc: "2.0",
                id,
                result: Some(result),
                error: None,
            },
        )
    }

    /// Failure, under the id the request came with, whatever it was.
    pub fn error(id: &impl Serialize, error: RpcError) -> Response {
        let status = error.status();
        Response::json(
            status,
            &Envelope::<_, Json> {
                jsonrpc: "2.0",
                id,
                result: None,
                error: Some(error),
            },
        )
    }

    /// A handler that failed: 500 and nothing else. Source: kwil-rpc 1.
    pub fn handler_failure() -> Response {
        Response {
            status: 500,
            content_type: None,
            body: String::new(),
        }
    }

    /// A request that took longer than `rpc.timeout`. Source: kwil-rpc 1.
    pub fn timeout() -> Response {
        let error = RpcError::new(-32_001, "RPC timeout");
        Response {
            status: 503,
            ..Response::error(&json!(-1), error)
        }
    }

    /// A body that is too large, or did not arrive. Source: kwil-rpc 1.
    pub fn unread() -> Response {
        Response::text(400, "error reading request body")
    }

    /// Any value as JSON, for paths that are no JSON-RPC.
    pub fn plain(status: u16, value: &impl Serialize) -> Response {
        Response::json(status, value)
    }

    /// Plain text with the line end that Go adds.
    pub fn text(status: u16, text: &str) -> Response {
        Response {
            status,
            content_type: Some(TEXT),
            body: format!("{text}\n"),
        }
    }

    fn json(status: u16, envelope: &impl Serialize) -> Response {
        let body = serde_json::to_string(envelope).expect("results have text keys only");
        Response {
            status,
            content_type: Some(JSON),
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(method: &str, body: &str, status: u16, answer: &str) {
        let response = Request::parse(method, body.as_bytes()).unwrap_err();
        let told = (response.status, response.body.as_str());
        assert_eq!(told, (status, answer), "{method} {body}");
    }

    #[test]
    fn bodies_that_are_no_request() {
        let answer =
            r#"{"jsonrpc":"2.0","id":-1,"error":{"code":-32700,"message":"invalid request"}}"#;
        let bodies = [
            "",
            "{",
            "true",
            "7",
            r#""text""#,
            "[]",
            // No batches: a list of requests is no request.
            r#"[{"jsonrpc":"2.0","id":1,"method":"user.ping"}]"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"user.ping"} {}"#,
            r#"{"jsonrpc":2.0,"id":1,"method":"user.ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":["user.ping"]}"#,
        ];
        for body in bodies {
            check_refused("POST", body, 400, answer);
        }
        check_refused("GET", "{}", 405, "POST required for JSON-RPC\n");
        check_refused("OPTIONS", "", 405, "POST required for JSON-RPC\n");
        let large = " ".repeat(MAX_REQUEST + 1);
        check_refused("POST", &large, 400, "error reading request body\n");
    }

    #[test]
    fn envelopes_that_are_not_version_2_or_have_no_id() {
        let table = [
            ("null", "null"),
            ("{}", "null"),
            (r#"{"id":1,"method":"user.ping"}"#, "1"),
            (r#"{"jsonrpc":"1.0","id":1,"method":"user.ping"}"#, "1"),
            (r#"{"jsonrpc":"","id":"a","method":"user.ping"}"#, r#""a""#),
            (r#"{"jsonrpc":"2.0","method":"user.ping"}"#, "null"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"m"}"#, "null"),
            (r#"{"jsonrpc":"2.0","id":0,"method":"m"}"#, "0"),
            (r#"{"jsonrpc":"2.0","id":0.0,"method":"m"}"#, "0.0"),
            (r#"{"jsonrpc":"2.0","id":"","method":"m"}"#, r#""""#),
            (r#"{"jsonrpc":"2.0","id":false,"method":"m"}"#, "false"),
            (r#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#, "[1]"),
        ];
        for (body, id) in table {
            let answer = format!(
                r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32600,"message":"invalid json-rpc request object"}}}}"#
            );
            check_refused("POST", body, 400, &answer);
        }
    }

    #[test]
    fn a_method_has_a_name() {
        let answer =
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no route was supplied"}}"#;
        check_refused("POST", r#"{"jsonrpc":"2.0","id":1}"#, 404, answer);
        let empty = r#"{"jsonrpc":"2.0","id":1,"method":""}"#;
        check_refused("POST", empty, 404, answer);
    }

    #[test]
    fn a_request_is_read_and_answered_under_its_id() {
        for id in ["1", "-7", r#""abc""#, "2.5"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"user.ping","more":1}}"#);
            let request = Request::parse("POST", body.as_bytes()).unwrap();
            assert_eq!(
                (request.method.as_str(), &request.params),
                ("user.ping", &Json::Null)
            );
            let response = Response::result(&request.id, &json!({}));
            let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
            assert_eq!((response.status, response.body), (200, answer));
        }
    }

    #[test]
    fn errors_travel_under_their_status() {
        let table = [
            (-32_700, 400),
            (-32_600, 400),
            (-32_601, 404),
            (-32_602, 400),
            (-32_603, 500),
            (-32_000, 200),
            (-201, 200),
            (-202, 200),
            (-300, 200),
            (-1_004, 200),
        ];
        for (code, status) in table {
            assert_eq!(RpcError::new(code, "").status(), status, "{code}");
        }
        assert_eq!(Response::timeout().status, 503);
        assert_eq!(Response::handler_failure().status, 500);
    }
}
