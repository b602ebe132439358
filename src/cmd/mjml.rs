//! `mjml FILE…`: plain MJML files as HTML, without a newsletter around them.

use std::{
    collections::HashMap,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::report;
use crate::{
    cli::{MjmlArgs, ValidationLevel},
    compose::{self, Validation},
    error::{Error, Kind, Result},
    exit::Exit,
    finding::Finding,
    fs::{self, Access, Entry},
    place::Text,
    source::{self, Bounds, Root},
    ui::{Format, Ui},
};

pub(super) fn run(args: &MjmlArgs, directory: &Path, ui: Ui) -> Result<Exit> {
    if args.output.is_none() && (args.files.len() > 1 || ui.format() == Format::Json) {
        let error = Error::new(Kind::Usage, "there is no folder to write the pages to");
        return Err(error.hint("Name one with `-o DIR`."));
    }
    clash(args)?;
    if let Some(folder) = &args.output
        && fs::entry(folder) == Entry::File
    {
        let message = format!("`{}` is a file, where a folder is needed", folder.display());
        let error = Error::new(Kind::CannotCreate, message);
        return Err(error.hint("Name a folder; each page is written into it as `<name>.html`."));
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

/// Two files of one name would become one page.
fn clash(args: &MjmlArgs) -> Result<()> {
    let mut seen: HashMap<&OsStr, &Path> = HashMap::new();
    let clashes = args.files.iter().filter_map(|file| {
        let first = seen.insert(stem(file), file)?;
        let message = format!(
            "`{}` and `{}` would be one page",
            first.display(),
            file.display()
        );
        Some(Error::new(Kind::Usage, message).hint("Render them into folders of their own."))
    });
    Error::all(clashes.collect::<Vec<_>>()).map_or(Ok(()), Err)
}

/// What the page of a file is called.
fn stem(file: &Path) -> &OsStr {
    file.file_stem().unwrap_or(file.as_os_str())
}

fn page(file: &Path, args: &MjmlArgs, directory: &Path, ui: Ui) -> Result<()> {
    if fs::entry(file) == Entry::Folder {
        let message = format!("`{}` is a folder, where a file is needed", file.display());
        let files = file.join("*.mjml");
        let hint = format!(
            "Name the files in it: `letterpress mjml {} -o DIR`.",
            files.display()
        );
        return Err(Error::new(Kind::Usage, message).hint(hint));
    }
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
    let mut page = folder.join(stem(file)).into_os_string();
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
        bounds: Bounds::Project,
    })
}
