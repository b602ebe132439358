//! `init [DIR]`: a newsletter laid out, the same that letterpress's own repository holds.

use std::path::Path;

use crate::{
    cli::InitArgs,
    error::Result,
    exit::Exit,
    fs::{self, Access},
    ui::Ui,
};

macro_rules! sample {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../", $path)))),*]
    };
}

/// The sample newsletter, built into the program.
const SAMPLE: &[(&str, &[u8])] = sample![
    "newsletter.toml",
    "issues/welcome.md",
    "articles/a-place-for-every-letter.md",
    "articles/reading-for-strangers.md",
    "articles/saturday-printers.txt",
    "articles/the-right-envelope.md",
    "articles/images/type-case.png",
    "subscribers/list.csv",
    "subscribers/suppressions.csv",
    "templates/digest.mjml",
    "templates/digest.txt",
    "templates/partials/article.mjml",
    "templates/partials/blocks.mjml",
    "templates/partials/caption.mjml",
    "templates/partials/footer.mjml",
    "templates/partials/masthead.mjml",
    "templates/partials/styles.mjml",
];

/// What git must not keep: the books and their secret, and what `build` writes.
const IGNORED: &str = "/.letterpress\n/out\n";

pub(super) fn run(args: &InitArgs, directory: &Path, ui: Ui) -> Result<Exit> {
    let folder = directory.join(&args.dir);
    let mut written = Vec::new();
    let mut kept = Vec::new();
    let files = SAMPLE
        .iter()
        .copied()
        .chain([(".gitignore", IGNORED.as_bytes())]);
    for (name, content) in files {
        // A list of people is theirs and ours alone.
        let access = if name.starts_with("subscribers/") {
            Access::Private
        } else {
            Access::Shared
        };
        if fs::write_new(&folder.join(name), content, access)? {
            written.push(name);
        } else {
            kept.push(name);
        }
    }
    for name in &kept {
        ui.status(&format!("kept    {name}"));
    }
    for name in &written {
        ui.status(&format!("wrote   {name}"));
    }
    let enter = if args.dir == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", args.dir.display())
    };
    ui.product(&format!(
        "{} files written, {} kept as they were.\n\nNext:\n  {enter}letterpress preview welcome\n  letterpress send welcome --sandbox --yes\n  letterpress new my-first-issue",
        written.len(),
        kept.len()
    ));
    Ok(Exit::Done)
}
