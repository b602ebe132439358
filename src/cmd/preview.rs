//! `preview [ISSUE]`: issues in the browser, built anew at each load.

use std::{net::Ipv4Addr, sync::Arc};

use super::{
    project::Project,
    reader::{mail, reader, standalone},
    signals::Signals,
};
use crate::{
    cli::PreviewArgs,
    error::{Error, Kind, Result},
    exit::Exit,
    issue::html::escape,
    preview::{Reply, Site, serve},
    source,
};

pub(super) fn run(args: &PreviewArgs, project: Project) -> Result<Exit> {
    // A name that is wrong is better told now than in the browser.
    if let Some(issue) = &args.issue {
        project.gather(issue)?;
    }
    let ui = project.ui;
    super::runtime()?.block_on(async {
        let signals = Signals::listen()?;
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
            .await
            .map_err(|cause| {
                Error::new(
                    Kind::Unavailable,
                    format!("cannot listen at 127.0.0.1:{}", args.port),
                )
                .because(&cause)
                .hint("Choose another port with `--port`, or 0 for any that is free.")
            })?;
        let port = listener.local_addr().map_or(args.port, |at| at.port());
        ui.product(&format!(
            "http://127.0.0.1:{port}/{}\nStop it with Ctrl-C.",
            args.issue.as_deref().unwrap_or_default()
        ));
        serve(listener, Arc::new(Pages(project)), signals.first()).await?;
        Ok(Exit::Done)
    })
}

/// `/` lists the issues; `/welcome` is the page, `/welcome.txt`, `.eml` and `.mjml` the rest.
struct Pages(Project);

impl Site for Pages {
    fn page(&self, path: &str, query: Option<&str>) -> Reply {
        let wanted = path.trim_matches('/');
        let made = if wanted.is_empty() {
            self.contents()
        } else {
            self.issue(wanted, query)
        };
        made.unwrap_or_else(|error| failed(&error))
    }
}

impl Pages {
    fn contents(&self) -> Result<Reply> {
        let slugs = source::issues(&self.0.root())?;
        let rows: String = slugs
            .iter()
            .map(|slug| {
                let slug = escape(slug);
                format!(
                    "<li><a href=\"/{slug}\">{slug}</a> <small><a href=\"/{slug}.txt\">text</a> \
                     <a href=\"/{slug}.eml\">message</a> <a href=\"/{slug}.mjml\">MJML</a></small></li>"
                )
            })
            .collect();
        Ok(page(
            200,
            &self.0.settings.newsletter.name,
            &format!("<ul>{rows}</ul>"),
        ))
    }

    fn issue(&self, wanted: &str, query: Option<&str>) -> Result<Reply> {
        let (slug, kind) = match wanted.rsplit_once('.') {
            Some((slug, kind @ ("txt" | "eml" | "mjml" | "html"))) => (slug, kind),
            _ => (wanted, "html"),
        };
        let reader_address = query.and_then(|query| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == "as")
                .map(|(_, value)| value.into_owned())
        });
        let issue = self.0.gather(slug)?;
        let composed = self.0.set(&issue)?;
        let reader = reader(&self.0, reader_address.as_deref())?;
        let (mail, merged) = mail(&self.0, &issue, &composed.edition, &reader)?;
        let text = |body: Vec<u8>| Reply {
            status: 200,
            media_type: "text/plain; charset=utf-8".into(),
            body,
        };
        Ok(match kind {
            "txt" => text(merged.text.into_bytes()),
            "eml" => text(mail.message),
            "mjml" => text(composed.mjml.into_bytes()),
            _ => Reply {
                status: 200,
                media_type: "text/html; charset=utf-8".into(),
                body: standalone(&merged.html, &composed.edition.images).into_bytes(),
            },
        })
    }
}

/// An error as a page, so that the browser shows what the terminal would.
fn failed(error: &Error) -> Reply {
    let mut report = String::new();
    for error in std::iter::once(error).chain(error.others()) {
        report += &format!("<h2>{}</h2>", escape(error.message()));
        if let Some(place) = error.place() {
            let line = place.text().line(place.line() + 1 - place.first_line());
            let shown = &line.text().content()[line.range()];
            report += &format!(
                "<p>{}</p><pre>{}</pre>",
                escape(&place.to_string()),
                escape(shown)
            );
        }
        for more in error.causes().iter().chain(error.hints()) {
            report += &format!("<p>{}</p>", escape(more));
        }
    }
    let status = match error.kind() {
        Kind::NoInput => 404,
        _ => 500,
    };
    page(status, "Not yet", &report)
}

fn page(status: u16, title: &str, body: &str) -> Reply {
    let title = escape(title);
    Reply {
        status,
        media_type: "text/html; charset=utf-8".into(),
        body: format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <style>:root{{color-scheme:light dark}}body{{font:17px/1.5 Georgia,serif;max-width:44rem;\
             margin:3rem auto;padding:0 1rem}}h1{{font-size:1.4rem}}pre{{overflow:auto;padding:1rem;\
             border-left:3px solid}}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
        )
        .into_bytes(),
    }
}
