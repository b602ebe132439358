//! What an article is made of: blocks, and the words in a line.

/// A block of an article or a letter.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A heading within the text; `level` 2 is the highest, as 1 is the headline's.
    Heading {
        /// 2 to 6.
        level: u8,
        /// The words.
        content: Vec<Inline>,
    },
    /// A list.
    List {
        /// The number of the first item; `None` for a list without numbers.
        start: Option<usize>,
        /// The items.
        items: Vec<ListItem>,
    },
    /// A quotation that is part of the text.
    Quote(Vec<Block>),
    /// A quotation set large, with the name of the speaker.
    PullQuote(Quote),
    /// A picture.
    Figure(Figure),
    /// Text set as it is.
    Code {
        /// The language, when it was named.
        language: Option<String>,
        /// The text, with its line ends.
        code: String,
    },
    /// A table.
    Table {
        /// The head of each column.
        head: Vec<Cell>,
        /// The rows.
        rows: Vec<Vec<Cell>>,
    },
    /// A pause between two parts.
    Divider,
}

/// An item of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListItem {
    /// For a list of tasks: whether it is done.
    pub checked: Option<bool>,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// `left`, `center` or `right`.
    pub align: &'static str,
    /// What it says.
    pub content: Vec<Inline>,
}

/// A picture, with what is said below it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// An https address, or a path relative to the newsletter's folder. Empty when the picture was
    /// not supplied, as in an article that came as plain text: then caption and credit stand alone.
    pub src: String,
    /// What a reader who cannot see it needs to know; empty for an ornament.
    pub alt: String,
    /// What it shows.
    pub caption: Vec<Inline>,
    /// Whose it is.
    pub credit: Option<String>,
}

/// A quotation and whose it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quote {
    /// The words, without quotation marks around them.
    pub text: Vec<Inline>,
    /// The speaker.
    pub attribution: Vec<Inline>,
}

/// Words in a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Inline {
    /// Plain words.
    Text(String),
    /// Emphasis.
    Emphasis(Vec<Inline>),
    /// Strong emphasis.
    Strong(Vec<Inline>),
    /// No longer valid.
    Strikethrough(Vec<Inline>),
    /// Set as it is.
    Code(String),
    /// A link.
    Link {
        /// Where it leads, as written.
        url: String,
        /// What it says.
        content: Vec<Inline>,
    },
    /// A picture in the line.
    Image {
        /// As [`Figure::src`].
        src: String,
        /// As [`Figure::alt`].
        alt: String,
    },
    /// A line break that was asked for.
    Break,
}

/// The words of a line without any dress.
#[must_use]
pub fn plain(line: &[Inline]) -> String {
    let mut out = String::new();
    fn walk(line: &[Inline], out: &mut String) {
        for inline in line {
            match inline {
                Inline::Text(text) | Inline::Code(text) => out.push_str(text),
                Inline::Emphasis(content)
                | Inline::Strong(content)
                | Inline::Strikethrough(content)
                | Inline::Link { content, .. } => walk(content, out),
                Inline::Image { alt, .. } => out.push_str(alt),
                Inline::Break => out.push(' '),
            }
        }
    }
    walk(line, &mut out);
    out
}

impl Block {
    /// Its words without any dress, for counting and for excerpts.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Paragraph(content) | Self::Heading { content, .. } => plain(content),
            Self::List { items, .. } => join(items.iter().flat_map(|item| &item.blocks)),
            Self::Quote(blocks) => join(blocks),
            Self::PullQuote(quote) => {
                format!("{} {}", plain(&quote.text), plain(&quote.attribution))
            }
            Self::Figure(figure) => plain(&figure.caption),
            Self::Code { code, .. } => code.clone(),
            Self::Table { head, rows } => head
                .iter()
                .chain(rows.iter().flatten())
                .map(|cell| plain(&cell.content))
                .collect::<Vec<_>>()
                .join(" "),
            Self::Divider => String::new(),
        }
    }
}

fn join<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> String {
    blocks
        .into_iter()
        .map(Block::words)
        .collect::<Vec<_>>()
        .join(" ")
}
