//! `mjml FILE…`: plain MJML files as HTML, without a newsletter around them.

use std::path::{Path, PathBuf};

use super::report;
use crate::{
    cli::{MjmlArgs, ValidationLevel},
    compose::{self, Validation},
    error::{Error, Kind, Result},
    exit::Exit,
    finding::Finding,
    fs::{self, Access, Entry},
    place::Text,
    source::{self, Root},
    ui::{Format, Ui},
};

pub(super) fn run(args: &MjmlArgs, directory: &Path, ui: Ui) -> Result<Exit> {
    if args.output.is_none() && (args.files.len() > 1 || ui.format() == Format::Json) {
        let error = Error::new(Kind::Usage, "there is no folder to write the pages to");
        return Err(error.hint("Name one with `-o DIR`."));
    }
    let pages = args
        .files
        .iter()
        .map(|file| page(file, args, directory, ui));
    let errors: Vec<Error> = pages.filter_map(Result::err).collect();
    if ui.format() == Format::Json {
        for error in &errors {
            report::findings(ui, &Finding::all_of(error));
        }
    }
    let errors = errors.into_iter().flat_map(Error::into_all);
    Error::all(errors).map_or(Ok(Exit::Done), Err)
}

fn page(file: &Path, args: &MjmlArgs, directory: &Path, ui: Ui) -> Result<()> {
    let root = root(file, args, directory)?;
    let real = fs::real_path(file)?;
    let name = match real.strip_prefix(&root.folder) {
        Ok(name) => name.to_string_lossy().replace('\\', "/"),
        Err(_) => file.display().to_string(),
    };
    let text = Text::new(name, fs::read_text(file)?);
    let validation = match args.validation {
        ValidationLevel::Soft => Validation::Soft,
        ValidationLevel::Standard => Validation::Standard,
        ValidationLevel::Strict => Validation::Strict,
    };
    let rendered = compose::render_mjml(&text, validation, &|path| source::text(&root, path))?;
    report::findings(ui, &rendered.findings);
    let Some(folder) = &args.output else {
        ui.product(&rendered.html);
        return Ok(());
    };
    let stem = file.file_stem().unwrap_or(file.as_os_str());
    let mut page = folder.join(stem).into_os_string();
    page.push(".html");
    let page = PathBuf::from(page);
    fs::write(&page, rendered.html.as_bytes(), Access::Shared)?;
    ui.status(&page.display().to_string());
    Ok(())
}

/// What a project has at its top.
const MARKERS: [&str; 4] = ["newsletter.toml", ".git", ".mjmlconfig", "package.json"];

/// Where included files may lie: the project that the file belongs to, or else the current folder, or
/// else the file's own.
fn root(file: &Path, args: &MjmlArgs, directory: &Path) -> Result<Root> {
    let file = fs::real_path(file)?;
    let is_top = |folder: &&Path| {
        let mut markers = MARKERS.iter();
        markers.any(|marker| fs::entry(&folder.join(marker)) != Entry::Nothing)
    };
    let current = fs::real_path(directory)?;
    let folder = match &args.root {
        Some(root) => fs::real_path(root)?,
        None => {
            let project = file.ancestors().skip(1).find(is_top);
            let around = project.or_else(|| Some(&*current).filter(|top| file.starts_with(top)));
            around.or(file.parent()).unwrap_or(&file).to_owned()
        }
    };
    Ok(Root {
        folder,
        allow_outside: false,
    })
}
