//! The local proof: a plain HTTP server for the loopback interface.
//!
//! It knows requests and replies and nothing of what they show; a [`Site`] makes each page. It
//! guards what a local server has to fear: other sites that reach it through the reader's browser.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use tokio::{net::TcpListener, sync::watch, time::sleep};

use crate::error::{Error, Kind, Result};

/// What a page may load: its own pictures, styles and frames, hosted pictures over TLS, no scripts.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; img-src 'self' data: https:; \
     style-src 'self' 'unsafe-inline'; frame-src 'self'; frame-ancestors 'self'; \
     base-uri 'none'; form-action 'none'";

/// How long open requests may go on once the server is told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// What is shown.
pub trait Site: Send + Sync {
    /// The reply to a request for `path`, which begins with `/` and is percent-decoded, with the
    /// query as it was sent. Called for each request, on a thread that it may block. Both come from
    /// outside: a path may hold `..` or anything else.
    fn page(&self, path: &str, query: Option<&str>) -> Reply;
}

/// The reply to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code of HTTP, 200 to 599.
    pub status: u16,
    /// The media type of the body, as in `text/html; charset=utf-8`.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A page that was found.
    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::found("text/html; charset=utf-8", body)
    }

    /// Something of `media_type` that was found.
    pub fn found(media_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            media_type: media_type.into(),
            body: body.into(),
        }
    }

    /// A line of plain text with any status: for what was not found or went wrong.
    pub fn text(status: u16, text: &str) -> Self {
        Self {
            status,
            media_type: "text/plain; charset=utf-8".to_owned(),
            body: format!("{text}\n").into_bytes(),
        }
    }
}

/// Serves `site` to clients of `listener` until `stop` resolves; open requests then have two seconds
/// to finish.
///
/// Only GET and HEAD are answered (others get 405), and only when the `Host` field names the loopback
/// interface: with any other name the request was led here by a name that somebody else controls (DNS
/// rebinding), and gets 421. Nothing is stored by the browser or sent on to other sites.
///
/// # Errors
///
/// [`Kind::Io`] when the listener fails.
pub async fn serve(listener: TcpListener, site: Arc<dyn Site>, stop: impl Future) -> Result<()> {
    let (stopping, mut is_stopping) = watch::channel(false);
    let router = Router::new().fallback(answer).with_state(site);
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        // The sender lives as long as the server does.
        let _ = is_stopping.wait_for(|is| *is).await;
    });
    let end = async {
        stop.await;
        let _ = stopping.send(true);
        sleep(GRACE).await;
    };
    tokio::select! {
        served = server => served.map_err(|cause| {
            Error::new(Kind::Io, "the preview cannot be served").because(&cause)
        }),
        () = end => Ok(()),
    }
}

async fn answer(State(site): State<Arc<dyn Site>>, request: Request) -> Response {
    let reply = match judge(request.method(), request.uri(), request.headers()) {
        Err(refusal) => refusal,
        Ok(path) => {
            let query = request.uri().query().map(str::to_owned);
            tokio::task::spawn_blocking(move || site.page(&path, query.as_deref()))
                .await
                .unwrap_or_else(|_| Reply::text(500, "the page came to a sudden end"))
        }
    };
    dress(reply)
}

/// The decoded path of a request that may be answered.
fn judge(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<String, Reply> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let names_another = uri
        .authority()
        .is_some_and(|authority| !is_loopback(authority.as_str()));
    if names_another || hosts.next().is_some() || !host.is_some_and(is_loopback) {
        return Err(Reply::text(
            421,
            "this is a local preview; call it localhost",
        ));
    }
    if ![Method::GET, Method::HEAD].contains(method) {
        return Err(Reply::text(405, "a preview is read with GET and HEAD"));
    }
    decoded(uri.path()).ok_or_else(|| Reply::text(400, "the path is not percent-encoded UTF-8"))
}

/// Whether a `Host` field names this machine's loopback interface, with any port or none.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|loopback| name.eq_ignore_ascii_case(loopback))
}

/// Percent-decodes a path; `None` when that cannot be done.
fn decoded(path: &str) -> Option<String> {
    let mut pieces = path.split('%');
    let mut octets = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        octets.push(u8::from_str_radix(digits, 16).ok()?);
        octets.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(octets).ok()
}

/// Puts the fields on a reply that every reply has.
fn dress(reply: Reply) -> Response {
    let (Ok(status), Ok(media_type)) = (
        StatusCode::from_u16(reply.status),
        HeaderValue::from_str(&reply.media_type),
    ) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type);
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_answered() {
        for host in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com:80",
            "127.0.0.2",
            "localhost:80:80",
            "localhost:x",
            "::1",
            "evil@localhost",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn paths_are_decoded() {
        assert_eq!(decoded("/a%20b/%C3%A9").as_deref(), Some("/a b/é"));
        for path in ["/%", "/%2", "/%zz", "/%+1", "/%ff", "/%é"] {
            assert_eq!(decoded(path), None, "{path}");
        }
    }

    #[test]
    fn a_site_that_replies_nonsense_is_an_error() {
        assert_eq!(dress(Reply::text(42, "x")).status(), 500);
        assert_eq!(dress(Reply::found("text/\n", "x")).status(), 500);
    }
}
