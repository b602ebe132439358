//! The templates: the newsletter's own above the built-in theme.

use crate::{
    error::{Error, Kind, Result, nearest},
    place::{Place, Text},
};

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// The theme that is built in: names relative to `templates/`, and contents.
const BUILT_IN: &[(&str, &str)] = built_in![
    "digest.mjml",
    "digest.txt",
    "partials/article.mjml",
    "partials/blocks.mjml",
    "partials/caption.mjml",
    "partials/footer.mjml",
    "partials/masthead.mjml",
    "partials/styles.mjml",
];

/// The name of the template that an issue is set in when it names none.
pub(super) const DEFAULT: &str = "digest";

/// All templates that an issue can be set in.
#[derive(Clone, Debug)]
pub struct Templates {
    /// Sorted by name.
    all: Vec<Template>,
}

#[derive(Clone, Debug)]
pub(super) struct Template {
    /// Relative to `templates/`, with `/` between folders: how `include` finds it.
    pub(super) name: String,
    /// As the author knows it.
    pub(super) text: Text,
}

impl Templates {
    /// The newsletter's own templates above the built-in theme; names are relative to `templates/`,
    /// as in `digest.mjml` and `partials/footer.mjml`.
    #[must_use]
    pub fn new(own: Vec<Text>) -> Self {
        let built_in = BUILT_IN.iter().map(|(name, content)| Template {
            name: (*name).to_owned(),
            text: Text::new(format!("built-in {name}"), *content),
        });
        let own = own.into_iter().map(|text| Template {
            name: text.name().replace('\\', "/"),
            text: Text::new(format!("templates/{}", text.name()), text.content()),
        });
        let mut all: Vec<Template> = own.chain(built_in).collect();
        // A stable sort: of two with one name, the newsletter's own stays before the built-in one.
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all.dedup_by(|later, earlier| later.name == earlier.name);
        Self { all }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Template> {
        self.all.iter()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Template> {
        self.all.iter().find(|template| template.name == name)
    }

    /// The page and the text of the template that an issue names.
    ///
    /// # Errors
    /// When there is none of this name.
    pub(super) fn choose(
        &self,
        name: &str,
        place: Option<&Place>,
    ) -> Result<(&Template, &Template)> {
        let names = || {
            let pages = self.all.iter().filter(|page| !page.name.contains('/'));
            pages.filter_map(|page| page.name.strip_suffix(".mjml"))
        };
        let Some(page) = self.get(&format!("{name}.mjml")) else {
            let mut error = Error::new(Kind::Data, format!("there is no template `{name}`"));
            if let Some(place) = place {
                error = error.at(place.clone());
            }
            let known: Vec<_> = names().map(|name| format!("`{name}`")).collect();
            return Err(match nearest(name, names()) {
                Some(near) => error.hint(format!("Did you mean `{near}`?")),
                None => error.hint(format!(
                    "Write templates/{name}.mjml, or use one of {}.",
                    known.join(", ")
                )),
            });
        };
        let text = self.get(&format!("{name}.txt"));
        let Some(text) = text.or_else(|| self.get(&format!("{DEFAULT}.txt"))) else {
            return Err(
                Error::data(format!("the template `{name}` has no plain text"))
                    .hint(format!("Write templates/{name}.txt.")),
            );
        };
        Ok((page, text))
    }
}
