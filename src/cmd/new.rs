//! `new SLUG`: a file for a new issue, ready to be written.

use super::project::Project;
use crate::{
    cli::NewArgs,
    error::{Error, Kind, Result},
    exit::Exit,
    fs::{self, Access},
};

pub(super) fn run(args: &NewArgs, project: &Project) -> Result<Exit> {
    let slug = args.slug.as_str();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if slug.is_empty() || !slug.chars().all(plain) || slug.starts_with('-') {
        return Err(Error::new(
            Kind::Usage,
            format!("`{slug}` cannot be the name of an issue"),
        )
        .hint("Use lower-case letters, digits and hyphens, as in `2026-48` or `spring-news`."));
    }
    let name = format!("issues/{slug}.md");
    let today = project
        .clock
        .now()
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .date();
    let content = format!(
        "+++\nsubject = \"\"\npreheader = \"\"\ndate = {today}\narticles = [\n  # \"articles/first.md\",\n]\n+++\n\nDear {{{{ subscriber.first_name | default(value=\"reader\") }}}},\n\n"
    );
    if !fs::write_new(&project.path(&name), content.as_bytes(), Access::Shared)? {
        return Err(Error::new(
            Kind::CannotCreate,
            format!("`{name}` is there already"),
        ));
    }
    project.ui.product(&format!(
        "{name}\n\nNext:\n  write the letter, and name the articles in its front matter\n  letterpress preview {slug}\n  letterpress send {slug} --sandbox"
    ));
    Ok(Exit::Done)
}
