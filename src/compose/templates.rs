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

/// What the names of the newsletter's own templates begin with, as the author knows them.
pub(super) const FOLDER: &str = "templates/";
/// What those of the theme begin with.
pub(super) const BUILT_IN_MARK: &str = "built-in ";

/// All templates that an issue can be set in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Templates {
    /// Sorted by name.
    all: Vec<Template>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    /// Relative to `templates/`, with `/` between folders: how `include` finds it.
    pub(super) name: String,
    /// As the author knows it.
    pub(super) text: Text,
}

impl Template {
    /// Whether values are escaped in it, so that it can be a part of a page.
    pub(super) fn is_markup(&self) -> bool {
        let extension = self.name.rsplit_once('.').map(|(_, extension)| extension);
        matches!(extension, Some("mjml" | "html"))
    }
}

impl Templates {
    /// The newsletter's own templates above the built-in theme; names are relative to `templates/`,
    /// as in `digest.mjml` and `partials/footer.mjml`.
    #[must_use]
    pub fn new(own: Vec<Text>) -> Self {
        let built_in = BUILT_IN.iter().map(|(name, content)| Template {
            name: (*name).to_owned(),
            text: Text::new(format!("{BUILT_IN_MARK}{name}"), *content),
        });
        let own = own.into_iter().map(|text| Template {
            name: text.name().replace('\\', "/"),
            text: Text::new(format!("{FOLDER}{}", text.name()), text.content()),
        });
        Self::of(own.chain(built_in).collect())
    }

    /// All of these; of two with one name, the first.
    fn of(mut all: Vec<Template>) -> Self {
        // The sort is stable: of two with one name, the first stays before the other.
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
            let write = format!("Write templates/{name}.mjml");
            return Err(match nearest(name, names()) {
                Some(near) => error.hint(format!("Did you mean `{near}`?")),
                None if known.is_empty() => error.hint(format!("{write}.")),
                None => error.hint(format!("{write}, or use one of {}.", known.join(", "))),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_templates_the_newsletters_own_wins() {
        let all = vec![
            Template {
                name: "a.mjml".to_owned(),
                text: Text::new("templates/a.mjml", "own"),
            },
            Template {
                name: "a.mjml".to_owned(),
                text: Text::new("built-in a.mjml", "built-in"),
            },
            Template {
                name: "A.mjml".to_owned(),
                text: Text::new("built-in A.mjml", "other"),
            },
        ];
        let templates = Templates::of(all);
        assert_eq!(templates.all.len(), 2);
        assert_eq!(templates.get("a.mjml").unwrap().text.content(), "own");
    }

    #[test]
    fn a_template_without_a_text_takes_the_default_one() {
        let templates = Templates::new(vec![
            Text::new("one.mjml", ""),
            Text::new("digest.txt", "text"),
        ]);
        let (page, text) = templates.choose("one", None).unwrap();
        assert_eq!(
            (page.text.name(), text.text.name()),
            ("templates/one.mjml", "templates/digest.txt")
        );
        let error = templates.choose("two and more", None).unwrap_err();
        assert_eq!(error.message(), "there is no template `two and more`");
        assert!(error.hints()[0].starts_with("Write templates/two and more.mjml, or use one of "));
    }
}
