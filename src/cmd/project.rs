//! A newsletter's folder, opened: settings, and the stages with what they need from them.

mod keys;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;

use super::campaign::Hashed;
use crate::{
    audience::{self, List, ListOptions, Suppressions},
    clock::{Clock, System},
    compose::{self, Composed, Images, Press, Publication, Standing, Templates, Validation},
    config::{self, ImageDelivery, ListSettings, Settings, TemplateValidation},
    error::{Error, Kind, Result},
    fs::{self, Entry, File},
    issue::Issue,
    mail::{Letterhead, Secret, dkim::Signers},
    place::Text,
    source::{self, Bounds, Desk, Gathered, Root},
    ui::Ui,
};

pub(super) use keys::Keys;

/// A newsletter's folder, opened.
pub(super) struct Project {
    pub(super) folder: PathBuf,
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ui: Ui,
    /// The folder of the rehearsal that this process is part of.
    pub(super) rehearsal: Option<PathBuf>,
    /// What mail is signed with, once it was read.
    signers: OnceLock<Signers>,
}

impl Project {
    /// The newsletter that `directory` is in.
    pub(super) fn open(directory: &Path, ui: Ui) -> Result<Self> {
        let folder = config::find(directory)?;
        // `vars` would panic at the first variable that is not UTF-8, whosever it is.
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let settings = config::load(&folder, environment)?;
        Ok(Self {
            folder,
            settings,
            clock: Arc::new(System),
            ui,
            rehearsal: None,
            signers: OnceLock::new(),
        })
    }

    /// A path of the settings, relative to the newsletter.
    pub(super) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.join(relative)
    }

    /// What letterpress itself keeps; a rehearsal has its own.
    pub(super) fn state(&self) -> PathBuf {
        match &self.rehearsal {
            Some(folder) => folder.clone(),
            None => self.path(".letterpress"),
        }
    }

    pub(super) fn root(&self) -> Root {
        Root {
            folder: self.folder.clone(),
            bounds: match self.settings.sources.allow_outside {
                true => Bounds::None,
                false => Bounds::Newsletter,
            },
        }
    }

    /// Source → issue.
    pub(super) fn gather(&self, name: &str) -> Result<Issue> {
        self.gather_at(&mut Desk::default(), name)
    }

    /// The same for who gathers again and again.
    pub(super) fn gather_at(&self, desk: &mut Desk, name: &str) -> Result<Issue> {
        let Gathered { issue, findings } = desk.issue(&self.root(), name)?;
        for finding in &findings {
            self.ui.finding(finding);
        }
        Ok(issue)
    }

    /// Issue → edition, without a word on what was found.
    pub(super) fn set(&self, issue: &Issue) -> Result<Composed> {
        self.at_press(|press| compose::compose(issue, press))
    }

    /// The same for who composes again and again.
    pub(super) fn set_with(&self, standing: &mut Standing, issue: &Issue) -> Result<Arc<Composed>> {
        self.at_press(|press| standing.compose(issue, press))
    }

    fn at_press<T>(&self, set: impl FnOnce(&Press<'_>) -> Result<T>) -> Result<T> {
        let settings = &self.settings.newsletter;
        let publication = Publication {
            name: settings.name.clone(),
            tagline: settings.tagline.clone(),
            base_url: settings.base_url.clone(),
            postal_address: settings.postal_address.clone(),
            language: settings.language.clone(),
            domain: settings.from.address.domain().to_owned(),
        };
        let root = self.root();
        set(&Press {
            publication: &publication,
            templates: &self.templates()?,
            images: match self.settings.images.delivery {
                ImageDelivery::Inline => Images::Inline,
                ImageDelivery::Hosted => Images::Hosted,
            },
            picture: &|src| source::picture(&root, src),
            include: &|path| source::text(&root, path),
            validation: match self.settings.templates.validation {
                TemplateValidation::Soft => Validation::Soft,
                TemplateValidation::Standard => Validation::Standard,
                TemplateValidation::Strict => Validation::Strict,
            },
        })
    }

    /// Issue → edition, and what was found on the way is shown.
    pub(super) fn compose(&self, issue: &Issue) -> Result<Composed> {
        let composed = self.set(issue)?;
        for finding in &composed.findings {
            self.ui.finding(finding);
        }
        Ok(composed)
    }

    /// The newsletter's own templates; the built-in theme lies below them.
    fn templates(&self) -> Result<Templates> {
        let folder = self.path("templates");
        let mut own = Vec::new();
        let mut folders = vec![folder.clone()];
        let mut seen = BTreeSet::new();
        while let Some(next) = folders.pop() {
            for path in fs::list(&next)? {
                if fs::entry(&path) == Entry::Folder {
                    // A link to a folder above would go round and round.
                    if seen.insert(fs::real_path(&path)?) {
                        folders.push(path);
                    }
                } else if path
                    .extension()
                    .is_some_and(|kind| kind == "mjml" || kind == "txt" || kind == "html")
                {
                    let name = path
                        .strip_prefix(&folder)
                        .unwrap_or(&path)
                        .to_string_lossy()
                        .replace('\\', "/");
                    own.push(Text::new(name, fs::read_text(&path)?));
                }
            }
        }
        Ok(Templates::new(own))
    }

    /// The fields of the list.
    pub(super) fn columns(&self) -> Result<Vec<String>> {
        let mut columns = self.list(|file| file)?.columns().to_vec();
        columns.extend(self.list_fields());
        Ok(columns)
    }

    /// The list, open at its first row, read through what `through` makes of the file.
    pub(super) fn list<R: Read>(&self, through: impl FnOnce(File) -> R) -> Result<List<R>> {
        let settings = &self.settings.list;
        let file = fs::open(&self.path(&settings.path)).map_err(|error| {
            error.hint(format!(
                "`list.path` says that the subscribers are in `{}`.",
                settings.path
            ))
        })?;
        let options = ListOptions {
            list_fields: self.list_fields().collect(),
        };
        List::open(through(file), &settings.path, &options)
    }

    /// Those who must not be written to; nobody when there is no such file. One that cannot be
    /// looked at is an error: whoever is in it asked for no mail.
    pub(super) fn suppressions(&self) -> Result<Suppressions> {
        Ok(self.suppressions_with_hash()?.0)
    }

    /// The same, with the hash of the file, if there is one.
    pub(super) fn suppressions_with_hash(&self) -> Result<(Suppressions, Option<String>)> {
        let name = &self.settings.list.suppressions;
        if let Some(file) = fs::open_if_there(&self.path(name))? {
            let mut file = Hashed::new(file);
            let suppressions = Suppressions::load(&mut file, name)?;
            return Ok((suppressions, Some(file.finish())));
        }
        // Who names a file and misspells it would write to everyone who asked to be left alone.
        if *name != ListSettings::default().suppressions {
            return Err(Error::new(Kind::NoInput, format!("there is no file `{name}`")).hint(
                "`list.suppressions` names it; while nobody is suppressed, it holds the line `email` alone.",
            ));
        }
        Ok((Suppressions::empty(), None))
    }

    /// What every mail of a campaign carries.
    pub(super) fn letterhead(
        &self,
        issue: &Issue,
        campaign: &str,
        date: Timestamp,
        keys: Keys,
    ) -> Result<Letterhead> {
        let settings = &self.settings.newsletter;
        if settings.base_url.is_none() && self.settings.unsubscribe.mailto.is_none() {
            return Err(Error::new(
                Kind::Settings,
                "the newsletter has no way to unsubscribe",
            )
            .hint("Set `newsletter.base_url`, where the unsubscribe page lives, or `unsubscribe.mailto`."));
        }
        let list_id = settings.list_id.clone().unwrap_or_else(|| {
            format!(
                "{}.{}",
                slug(&settings.name),
                settings.from.address.domain()
            )
        });
        let letterhead = Letterhead {
            from: settings.from.clone(),
            reply_to: settings.reply_to.clone(),
            return_path: settings
                .return_path
                .clone()
                .unwrap_or_else(|| settings.from.address.to_string()),
            list_name: settings.name.clone(),
            list_id: Some(list_id),
            base_url: settings.base_url.clone(),
            unsubscribe_mailto: self.settings.unsubscribe.mailto.clone(),
            campaign: campaign.to_owned(),
            slug: issue.slug.clone(),
            date,
            secret: self.secret()?,
            subject_prefix: None,
            signers: self.signers(keys)?,
        };
        // What no mail can be made with is told before a campaign is entered in the books.
        letterhead.check()?;
        Ok(letterhead)
    }

    /// The key of unsubscribe links; made at the first need.
    pub(super) fn secret(&self) -> Result<Secret> {
        let path = self.path(&self.settings.unsubscribe.secret_file);
        if !path.exists() {
            let fresh = Secret::generate()?;
            fs::write_new(&path, fresh.to_text().as_bytes(), fs::Access::Private)?;
        }
        Secret::from_text(&fs::read_text(&path)?).map_err(|error| {
            error.of_kind(Kind::Settings).hint(format!(
                "`{}` holds the key of unsubscribe links.",
                path.display()
            ))
        })
    }

    /// The date of mails that are not sent: the issue's own, so that a build never changes.
    pub(super) fn date_of(issue: &Issue) -> Timestamp {
        issue
            .front
            .send_at
            .or_else(|| {
                let date = issue.front.date?;
                jiff::tz::TimeZone::UTC.to_timestamp(date.into()).ok()
            })
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The fields that hold several entries. The settings may call them as the list does or as
    /// templates do.
    fn list_fields(&self) -> impl Iterator<Item = String> + '_ {
        let named = self.settings.list.list_fields.iter();
        named.map(|title| audience::field_of(title))
    }

    /// The columns of the list that hold several entries, for a reader who has none.
    pub(super) fn empty_fields(&self) -> BTreeMap<String, audience::Value> {
        self.list_fields()
            .map(|name| (name, audience::Value::List(Vec::new())))
            .collect()
    }
}

/// Lower-case letters, digits and hyphens, out of any name.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "list".to_owned()
    } else {
        slug.to_owned()
    }
}
