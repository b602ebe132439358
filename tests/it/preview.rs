//! The preview over real sockets.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use crate::project::{Project, lines};
use letterpress::preview::{self, Reply, Site};
use tokio::{runtime::Runtime, sync::oneshot};

struct Echo;

impl Site for Echo {
    fn page(&self, path: &str, query: Option<&str>) -> Reply {
        match path {
            "/panic" => panic!("as asked"),
            "/missing" => Reply::text(404, "there is no such page"),
            "/picture.png" => Reply::found("image/png", [137, b'P']),
            _ => Reply::html(format!("<p>{path}|{}</p>", query.unwrap_or("none"))),
        }
    }
}

/// Asks a preview of its own and then stops it.
fn ask(request: &str) -> String {
    let runtime = Runtime::new().unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = runtime.spawn(preview::serve(listener, Arc::new(Echo), stopped));
    let reply = exchange(address, request);
    stop.send(()).unwrap();
    runtime.block_on(serving).unwrap().unwrap();
    reply
}

fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let reply = String::from_utf8_lossy(&reply);
    // The date is the only thing that changes from run to run.
    reply
        .split("\r\n")
        .filter(|line| !line.starts_with("date: "))
        .collect::<Vec<_>>()
        .join("\n")
}

fn get(target: &str, host: &str) -> String {
    ask(&format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    ))
}

const FIELDS: &str = "cache-control: no-store\n\
    x-content-type-options: nosniff\n\
    referrer-policy: no-referrer\n\
    content-security-policy: default-src 'none'; img-src 'self' data: https:; \
    style-src 'self' 'unsafe-inline'; frame-src 'self'; frame-ancestors 'self'; \
    base-uri 'none'; form-action 'none'\n";

#[test]
fn a_page_comes_with_its_fields() {
    assert_eq!(
        get("/issues/a%20b?dark=1", "localhost:4000"),
        format!(
            "HTTP/1.1 200 OK\ncontent-type: text/html; charset=utf-8\n{FIELDS}\
             content-length: 25\nconnection: close\n\n<p>/issues/a b|dark=1</p>"
        )
    );
}

#[test]
fn a_head_has_no_body() {
    let reply = ask("HEAD / HTTP/1.1\r\nHost: [::1]:1\r\nConnection: close\r\n\r\n");
    assert_eq!(
        reply,
        format!(
            "HTTP/1.1 200 OK\ncontent-type: text/html; charset=utf-8\n{FIELDS}\
             content-length: 13\nconnection: close\n\n"
        )
    );
}

#[test]
fn every_reply_has_the_status_and_type_it_was_given() {
    let reply = get("/missing", "127.0.0.1");
    assert!(reply.starts_with("HTTP/1.1 404 Not Found\ncontent-type: text/plain; charset=utf-8\n"));
    assert!(reply.ends_with("\n\nthere is no such page\n"));
    let reply = get("/picture.png", "127.0.0.1");
    assert!(reply.starts_with("HTTP/1.1 200 OK\ncontent-type: image/png\n"));
    assert!(get("/panic", "127.0.0.1").starts_with("HTTP/1.1 500 "));
    assert!(get("/%ff", "127.0.0.1").starts_with("HTTP/1.1 400 "));
}

#[test]
fn requests_under_another_name_are_misdirected() {
    for request in [
        "GET / HTTP/1.1\r\nHost: rebound.example.com\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET http://rebound.example.com/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: example.com\r\nConnection: close\r\n\r\n",
    ] {
        let reply = ask(request);
        let status = reply.lines().next().unwrap_or_default();
        assert!(
            status.ends_with(" 421 Misdirected Request"),
            "{request}{status}"
        );
    }
}

#[test]
fn only_reading_is_allowed() {
    let reply =
        ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert!(
        reply.starts_with("HTTP/1.1 405 Method Not Allowed\n"),
        "{reply}"
    );
    assert!(reply.contains("\nallow: GET, HEAD\n"), "{reply}");
}

#[test]
fn a_preview_shows_what_the_files_say_now_and_to_whom() {
    const ISSUE: &str = "+++\nsubject = \"Hello\"\narticles = [\"articles/one.md\"]\n+++\nDear {{ subscriber.first_name | default(value=\"reader\") }}\n";
    let project = Project::new()
        .file("issues/a.md", ISSUE)
        .file("articles/one.md", "# One\n\nIt runs.\n");
    let mut running = project.start(&["preview", "a", "--port", "0"]);
    let hello = lines(running.0.stdout.take().unwrap()).recv().unwrap();
    let host = hello
        .strip_prefix("http://")
        .and_then(|address| address.strip_suffix("/a"));
    let address = host.unwrap().parse().unwrap();
    let look = |target: &str| {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        exchange(address, &request)
    };
    // Each look, with what a page that is built from nothing shows.
    let shows = |words: &str| {
        let page = look("/a.txt");
        assert!(page.contains(words), "{page}");
        let _ = project.run(&["build", "a"]).exit(0);
        assert!(page.ends_with(&project.read("out/a/text.txt")), "{page}");
    };
    shows("Dear reader");
    shows("It runs.");
    assert!(look("/a.txt?as=ada@example.com").contains("Dear Ada"));
    assert!(look("/a").contains("It runs."));

    project.write("articles/one.md", "# One\n\nIt stands.\n");
    shows("It stands.");
    project.write("issues/a.md", ISSUE.replace("Dear", "Hello"));
    shows("Hello reader");
    project.write("templates/digest.txt", "{{ articles | ");
    assert!(look("/a.txt").starts_with("HTTP/1.1 500 "));
    project.write(
        "templates/digest.txt",
        "Mine: {{ articles[0].title }}\n{{ unsubscribe_url }}\n{{ newsletter.postal_address }}\n",
    );
    shows("Mine: One");
    std::fs::remove_file(project.path("articles/one.md")).unwrap();
    assert!(look("/a.txt").contains("there is no article `articles/one.md`"));
}
