//! The node's HTTP server: kwil's paths, status codes and limits over any network of streams.
//!
//! [`serve`] is for clients, [`serve_admin`] for the operator. What a request means is
//! [`crate::rpc`]'s, what the node answers is the model's; here are sockets, limits, and who asks whom.
//! Nothing of a request is logged but its method, its size and the code it was answered with.
//! Source: kwil-rpc 1, 2 and 8.

mod admin;
mod chain;
mod limit;
mod spec;
mod user;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use assay_model::node::Genesis;
use assay_model::rules::Switch;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method as HttpMethod, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use self::admin::AdminMethod;
use self::limit::Allowance;
use crate::rpc::{
    ChainMethod, Failure, Id, MAX_REQUEST, Method, Mode, Request, Response, RpcError,
};
use crate::runtime::Net;
use crate::shell::{Gone, Handle, NodeInfo};

/// Bounds on what clients may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections; further ones wait to be accepted.
    pub connections: usize,
    /// Requests in progress; further ones wait.
    pub requests: usize,
    /// Largest body in bytes.
    pub body: usize,
    /// Bytes of all bodies that are being read; beyond that requests are answered with 503.
    pub bodies: usize,
    /// How long the head of a request may take, from when the connection is open or the request before is
    /// answered.
    pub head: Duration,
    /// How long a request may take in all. Source: kwil-rpc 1, `rpc.timeout`.
    pub request: Duration,
    /// Challenges per second and client address. Source: kwil-rpc 2.1.
    pub challenges: u32,
    /// Challenges a client address may ask for at once.
    pub challenge_burst: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1_024,
            requests: 256,
            body: MAX_REQUEST,
            bodies: 64 << 20,
            head: Duration::from_secs(10),
            request: Duration::from_secs(20),
            challenges: 10,
            challenge_burst: 60,
        }
    }
}

/// What is told about the node besides what it tells itself.
#[derive(Clone)]
pub struct Offer {
    /// What is fixed.
    pub info: Arc<NodeInfo>,
    /// Whether the `chain` service is on. Source: kwil-rpc 2.2, `rpc.disabled_services`.
    pub chain: bool,
}

impl From<Arc<NodeInfo>> for Offer {
    fn from(info: Arc<NodeInfo>) -> Offer {
        Offer { info, chain: true }
    }
}

/// How the node of these rules wants to be read.
pub fn mode(genesis: &Genesis) -> Mode {
    if genesis.rules.keep(Switch::AuthenticatedReads) {
        Mode::Private
    } else {
        Mode::Open
    }
}

/// Serves clients until dropped.
pub async fn serve<N: Net>(
    net: N,
    listener: N::Listener,
    handle: Handle,
    offer: impl Into<Offer>,
    limits: Limits,
) {
    accept(
        net,
        listener,
        Desk::new(Door::Clients, handle, offer.into(), limits),
    )
    .await;
}

/// Serves the operator until dropped. Whoever reaches the listener is the operator.
pub async fn serve_admin<N: Net>(
    net: N,
    listener: N::Listener,
    handle: Handle,
    offer: impl Into<Offer>,
    limits: Limits,
) {
    accept(
        net,
        listener,
        Desk::new(Door::Operator, handle, offer.into(), limits),
    )
    .await;
}

async fn accept<N: Net>(net: N, mut listener: N::Listener, desk: Arc<Desk>) {
    let places = Arc::new(Semaphore::new(desk.limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        while connections.try_join_next().is_some() {}
        match net.accept(&mut listener).await {
            Ok(stream) => {
                let client = net.client(&stream);
                connections.spawn(connection(stream, client, desk.clone(), place));
            }
            Err(error) => {
                // Mostly too many open files; some will be closed soon.
                warn!(target: "assay::rpc", %error, "no connection was accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection<S>(
    stream: S,
    client: Option<IpAddr>,
    desk: Arc<Desk>,
    _place: OwnedSemaphorePermit,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let head = desk.limits.head;
    let service = service_fn(move |request| {
        let desk = desk.clone();
        async move { Ok::<_, Infallible>(desk.answer(client, request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .auto_date_header(false)
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        debug!(target: "assay::rpc", %error, "a connection ended early");
    }
}

/// Who is served at a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Clients,
    Operator,
}

/// Where requests are answered.
struct Desk {
    door: Door,
    handle: Handle,
    offer: Offer,
    mode: Mode,
    limits: Limits,
    requests: Semaphore,
    /// One permit per KiB of body.
    bodies: Semaphore,
    challenges: Allowance,
}

/// A request that was understood.
enum Asked {
    User(Method),
    Chain(ChainMethod),
    Admin(AdminMethod),
    Health,
    Discover,
}

/// Why a body could not be had.
enum Unread {
    TooLarge,
    NoRoom,
}

impl Desk {
    fn new(door: Door, handle: Handle, offer: Offer, limits: Limits) -> Arc<Desk> {
        Arc::new(Desk {
            door,
            handle,
            mode: mode(&offer.info.genesis),
            offer,
            limits,
            requests: Semaphore::new(limits.requests),
            bodies: Semaphore::new(limits.bodies >> 10),
            challenges: Allowance::new(limits.challenges, limits.challenge_burst),
        })
    }

    async fn answer(
        &self,
        client: Option<IpAddr>,
        request: hyper::Request<Incoming>,
    ) -> hyper::Response<Full<Bytes>> {
        let method = request.method().clone();
        let answered = async {
            // Never closed, so that there is always a turn to wait for.
            let _turn = self.requests.acquire().await;
            self.path(client, request).await
        };
        let answered = tokio::time::timeout(self.limits.request, answered).await;
        let response = answered.unwrap_or_else(|_| Response::timeout());
        let preflight = method == HttpMethod::OPTIONS && response.status == 204;
        self.written(response, preflight)
    }

    async fn path(&self, client: Option<IpAddr>, request: hyper::Request<Incoming>) -> Response {
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        if method == HttpMethod::OPTIONS && self.door == Door::Clients {
            return Response {
                status: 204,
                content_type: None,
                body: String::new(),
            };
        }
        match path.as_str() {
            "/rpc/v1" if method == HttpMethod::POST => self.rpc(client, request.into_body()).await,
            "/rpc/v1" => match Request::parse(method.as_str(), b"") {
                Ok(_) => Response::unread(),
                Err(refused) => refused,
            },
            "/spec/v1" if method == HttpMethod::GET => Response::plain(
                200,
                &spec::document(self.door == Door::Clients, &self.offer),
            ),
            _ if method == HttpMethod::GET && self.door == Door::Clients => {
                let service = path.strip_prefix("/api/v1/health");
                let answer = self.health_path(service.unwrap_or("?")).await;
                answer.unwrap_or_else(|Gone| gone(None))
            }
            _ => Response::text(404, "404 page not found"),
        }
    }

    /// One JSON-RPC request.
    async fn rpc(&self, client: Option<IpAddr>, body: Incoming) -> Response {
        let (size, understood) = match self.read(body).await {
            Ok((body, _room)) => (body.len(), self.understand(&body)),
            Err(Unread::TooLarge) => return Response::unread(),
            Err(Unread::NoRoom) => return Response::timeout(),
        };
        let (method, response) = match understood {
            Ok((id, method, asked)) => {
                let answer = self.run(&id, asked, client).await;
                (method, answer.unwrap_or_else(|Gone| gone(Some(&id))))
            }
            Err(response) => ("none", response),
        };
        let status = response.status;
        debug!(target: "assay::rpc", method, size, status, "answered");
        response
    }

    /// Takes a body in, as far as there is room for it. What is too large is read a little further and
    /// thrown away, since many clients do not look for an answer before they have sent everything.
    async fn read(
        &self,
        mut body: Incoming,
    ) -> Result<(Vec<u8>, tokio::sync::SemaphorePermit<'_>), Unread> {
        let mut room = self.bodies.try_acquire().map_err(|_| Unread::NoRoom)?;
        let mut bytes = Vec::new();
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Unread::TooLarge)?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            size += data.len();
            if size > self.limits.body.saturating_mul(4) {
                return Err(Unread::TooLarge);
            }
            if size > self.limits.body {
                bytes = Vec::new();
                continue;
            }
            let needed = (size >> 10) + 1;
            if let Some(more) = needed
                .checked_sub(room.num_permits())
                .filter(|more| *more > 0)
            {
                let more = self.bodies.try_acquire_many(more as u32);
                room.merge(more.map_err(|_| Unread::NoRoom)?);
            }
            bytes.extend_from_slice(&data);
        }
        if size > self.limits.body {
            return Err(Unread::TooLarge);
        }
        Ok((bytes, room))
    }

    /// Reads envelope, method and parameters. An error is the whole answer.
    fn understand(&self, body: &[u8]) -> Result<(Id, &'static str, Asked), Response> {
        let Request { id, method, params } = Request::parse("POST", body)?;
        let clients = self.door == Door::Clients;
        let asked = match method.split_once('.') {
            Some(("user", _)) if clients => Method::parse(&method, &params).map(Asked::User),
            Some(("chain", _)) if clients && self.offer.chain => {
                ChainMethod::parse(&method, &params).map(Asked::Chain)
            }
            Some(("admin", _)) if !clients => {
                AdminMethod::parse(&method, &params).map(Asked::Admin)
            }
            Some(("rpc", "health")) if clients => Ok(Asked::Health),
            Some(("rpc", "discover")) => Ok(Asked::Discover),
            _ => Err(Failure::UnknownMethod),
        };
        match asked {
            Ok(asked) => Ok((id, spec::known(&method), asked)),
            Err(failure) => Err(failure.response(&id)),
        }
    }

    async fn run(&self, id: &Id, asked: Asked, client: Option<IpAddr>) -> Result<Response, Gone> {
        match asked {
            Asked::User(method) => self.user(id, method, client).await,
            Asked::Chain(method) => self.chain(id, method).await,
            Asked::Admin(method) => self.admin(id, method).await,
            Asked::Health => Ok(Response::result(id, &self.overall_health().await?)),
            Asked::Discover => {
                let document = spec::document(self.door == Door::Clients, &self.offer);
                Ok(Response::result(id, &document))
            }
        }
    }

    fn written(&self, response: Response, preflight: bool) -> hyper::Response<Full<Bytes>> {
        let mut written = hyper::Response::new(Full::new(Bytes::from(response.body)));
        *written.status_mut() =
            StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = written.headers_mut();
        if let Some(kind) = response.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if self.door == Door::Clients {
            let anybody = HeaderValue::from_static("*");
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
        }
        if preflight {
            let methods = HeaderValue::from_static("GET, POST, OPTIONS");
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            let allowed =
                HeaderValue::from_static("Accept, Content-Type, Origin, X-Requested-With");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
            let age = HeaderValue::from_static("600");
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, age);
        }
        written
    }
}

/// The answer of a server whose node has stopped.
fn gone(id: Option<&Id>) -> Response {
    let error = RpcError::new(-32_603, Gone.to_string());
    match id {
        Some(id) => Response::error(id, error),
        None => Response::error(&-1, error),
    }
}

/// A result, or an error under HTTP's own status.
fn answered<T: serde::Serialize>(id: &Id, result: Result<T, RpcError>) -> Response {
    match result {
        Ok(result) => Response::result(id, &result),
        Err(error) => Response::error(id, error),
    }
}
