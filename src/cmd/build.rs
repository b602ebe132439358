//! `build ISSUE`: the issue as files, to look at and to compare.

use super::{
    project::Project,
    reader::{mail, reader, standalone},
};
use crate::{
    cli::BuildArgs,
    error::Result,
    exit::Exit,
    finding::{Finding, Severity},
    fs::{self, Access},
    ui::Format,
};

pub(super) fn run(args: &BuildArgs, project: &Project) -> Result<Exit> {
    let issue = project.gather(&args.issue)?;
    let composed = project.compose(&issue)?;
    let reader = reader(project, args.reader.as_deref())?;
    let (mail, merged) = mail(project, &issue, &composed.edition, &reader)?;

    let folder = match &args.output {
        Some(folder) => folder.clone(),
        None => project.path("out").join(&issue.slug),
    };
    let page = standalone(&merged.html, &composed.edition.images);
    let files = [
        ("issue.mjml", composed.mjml.as_bytes()),
        ("index.html", page.as_bytes()),
        ("text.txt", merged.text.as_bytes()),
        ("message.eml", mail.message.as_slice()),
    ];
    for (name, content) in files {
        fs::write(&folder.join(name), content, Access::Shared)?;
    }
    let paths = files.map(|(name, _)| folder.join(name).display().to_string());
    match project.ui.format() {
        Format::Human => project.ui.product(&paths.join("\n")),
        Format::Json => project.ui.json(&serde_json::json!({ "files": paths })),
    }
    let is_error = |finding: &Finding| finding.severity == Severity::Error;
    if composed.findings.iter().any(is_error) {
        // The files are there to be looked at; that `send` would refuse them shows in the code.
        return Ok(Exit::Findings);
    }
    Ok(Exit::Done)
}
