//! `preview [ISSUE]`: issues in the browser. At each load the files are read, and what has changed in
//! them is composed again; for another reader only the merge runs.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    project::Project,
    reader::{mail_by, reader, standalone},
    signals::Signals,
};
use crate::{
    cli::PreviewArgs,
    compose::{Composed, Standing},
    error::{Error, Kind, Result},
    exit::Exit,
    issue::{Issue, html::escape},
    mail::Merger,
    preview::{Reply, Site, serve},
    source::{self, Desk},
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
        serve(listener, Arc::new(Pages::new(project)), signals.first()).await?;
        Ok(Exit::Done)
    })
}

/// `/` lists the issues; `/welcome` is the page, `/welcome.txt`, `.eml` and `.mjml` the rest.
struct Pages {
    project: Project,
    kept: Mutex<Kept>,
}

/// What was made for earlier loads.
#[derive(Default)]
struct Kept {
    desk: Desk,
    standing: Standing,
    /// The editions, compiled, by the slugs of their issues.
    mergers: HashMap<String, Arc<Compiled>>,
}

/// An edition, ready to be merged.
struct Compiled {
    composed: Arc<Composed>,
    merger: Merger,
}

impl Kept {
    /// An issue as it is now.
    fn compiled(&mut self, project: &Project, slug: &str) -> Result<(Issue, Arc<Compiled>)> {
        let issue = project.gather_at(&mut self.desk, slug)?;
        let composed = project.set_with(&mut self.standing, &issue)?;
        if let Some(known) = self.mergers.get(&issue.slug)
            && Arc::ptr_eq(&known.composed, &composed)
        {
            return Ok((issue, Arc::clone(known)));
        }
        let compiled = Arc::new(Compiled {
            merger: Merger::new(&composed.edition)?,
            composed,
        });
        self.mergers
            .insert(issue.slug.clone(), Arc::clone(&compiled));
        Ok((issue, compiled))
    }
}

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
    fn new(project: Project) -> Self {
        Self {
            project,
            kept: Mutex::default(),
        }
    }

    fn contents(&self) -> Result<Reply> {
        let slugs = source::issues(&self.project.root())?;
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
            &self.project.settings.newsletter.name,
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
        // Loads take turns, so that each of them finds what the one before has made. After a panic
        // whatever stands there is still compared before it is used.
        let (issue, compiled) = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .compiled(&self.project, slug)?;
        let composed = &compiled.composed;
        let reader = reader(&self.project, reader_address.as_deref())?;
        let (mail, merged) = mail_by(
            &compiled.merger,
            &self.project,
            &issue,
            &composed.edition,
            &reader,
        )?;
        let text = |body: Vec<u8>| Reply {
            status: 200,
            media_type: "text/plain; charset=utf-8".into(),
            body,
        };
        Ok(match kind {
            "txt" => text(merged.text.into_bytes()),
            "eml" => text(mail.message),
            "mjml" => text(composed.mjml.clone().into_bytes()),
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
