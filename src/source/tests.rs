use std::path::Path;

use super::*;
use crate::issue::{Block, Figure, Inline};

/// The header of a picture, whatever its file is called.
const GIF: &str = "GIF89a\x01\0\x02\x01\0";

/// A newsletter in a temporary folder.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, content) in files {
            folder.write(path, content);
        }
        folder
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn root(&self) -> Root {
        Root {
            folder: self.0.path().to_owned(),
            bounds: Bounds::Newsletter,
        }
    }

    /// All errors of an issue, a line each: place, message, first hint.
    fn faults(&self, name: &str) -> String {
        faults(&issue(&self.root(), name).unwrap_err())
    }
}

fn faults(error: &Error) -> String {
    let mut out = String::new();
    let hint = error.hints().first().map_or("", String::as_str);
    out.push_str(&format!("{error} | {hint}\n"));
    error
        .others()
        .iter()
        .for_each(|other| out.push_str(&faults(other)));
    out
}

fn text(words: &str) -> Vec<Inline> {
    vec![Inline::Text(words.to_owned())]
}

const ISSUE: &str =
    "+++\nsubject = 'News'\narticles = ['articles/one.md', 'articles/two.txt']\n+++\nDear reader\n";

#[test]
fn an_issue_is_gathered_with_its_articles() {
    let folder = Folder::new(&[
        ("issues/welcome.md", ISSUE),
        (
            "articles/one.md",
            "---\nbyline: Ada King\ntopics: [type]\nimage: {src: press.png, caption: 'The press. Photo: Bo Li'}\n---\n\
             # The Press\n\nIt *runs*.\n\n![A wheel](../images/wheel.png)\nThe wheel.\n\n<b>Bold</b>\n",
        ),
        ("articles/two.txt", "The Ink\n\nIt flows.\n"),
        ("articles/press.png", GIF),
        ("images/wheel.png", GIF),
    ]);
    let gathered = issue(&folder.root(), "welcome").unwrap();
    assert_eq!(gathered.issue.slug, "welcome");
    assert_eq!(gathered.issue.letter(), "Dear reader\n");
    assert_eq!(gathered.issue.text.name(), "issues/welcome.md");
    let [one, two] = gathered.issue.articles.as_slice() else {
        panic!("{:?}", gathered.issue.articles);
    };
    assert_eq!(
        **one,
        Article {
            slug: "one".to_owned(),
            title: "The Press".to_owned(),
            byline: Some("Ada King".to_owned()),
            topics: vec!["type".to_owned()],
            image: Some(Figure {
                src: "articles/press.png".to_owned(),
                alt: String::new(),
                caption: text("The press."),
                credit: Some("Bo Li".to_owned()),
            }),
            body: vec![
                Block::Paragraph(vec![
                    Inline::Text("It ".to_owned()),
                    Inline::Emphasis(text("runs")),
                    Inline::Text(".".to_owned()),
                ]),
                Block::Figure(Figure {
                    src: "images/wheel.png".to_owned(),
                    alt: "A wheel".to_owned(),
                    caption: text("The wheel."),
                    credit: None,
                }),
                Block::Paragraph(text("Bold")),
            ],
            ..Default::default()
        }
    );
    assert_eq!(
        (two.title.as_str(), &two.body),
        ("The Ink", &vec![Block::Paragraph(text("It flows."))])
    );
    let findings: Vec<String> = gathered
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.place.as_ref().unwrap(), finding.message))
        .collect();
    assert_eq!(
        findings,
        ["articles/one.md:13:1 raw HTML is not carried: `<b>` is left out, its words stay"]
    );
}

#[test]
fn an_issue_answers_to_its_slug_and_its_path() {
    let folder = Folder::new(&[
        ("issues/welcome.md", "+++\nsubject = 'a'\n+++\n"),
        ("issues/second.md", ""),
        ("issues/second.sent.toml", ""),
        ("issues/notes.txt", ""),
        ("drafts/third.md", "+++\nsubject = 'a'\n+++\n"),
        ("issues/a b.md", "+++\nsubject = 'a'\n+++\n"),
    ]);
    let root = folder.root();
    assert_eq!(issues(&root).unwrap(), ["a b", "second", "welcome"]);
    let inside = folder.0.path().join("issues/welcome.md");
    for name in [
        "welcome",
        "welcome.md",
        "issues/welcome.md",
        "./issues/welcome.md",
        inside.to_str().unwrap(),
    ] {
        let gathered = issue(&root, name).unwrap();
        assert_eq!(
            (gathered.issue.slug.as_str(), gathered.issue.text.name()),
            ("welcome", "issues/welcome.md")
        );
    }
    assert_eq!(issue(&root, "drafts/third.md").unwrap().issue.slug, "third");
    assert_eq!(
        folder.faults("welcom"),
        "there is no issue `welcom` | Did you mean `welcome`?\n"
    );
    assert_eq!(
        folder.faults("issues/welcomee.md"),
        "there is no issue `issues/welcomee.md` | Did you mean `welcome`?\n"
    );
    assert_eq!(
        folder.faults("thousandth"),
        "there is no issue `thousandth` | The issues are `welcome`, `second`, `a b`.\n"
    );
    assert_eq!(
        folder.faults("issues/notes.txt"),
        "`issues/notes.txt` is not a Markdown file | An issue is a file that ends in `.md`.\n"
    );
    assert!(
        folder
            .faults("a b")
            .starts_with("the issue's name `a b` holds ` `")
    );
    assert_eq!(issue(&root, "nothing").unwrap_err().kind(), Kind::NoInput);
    assert_eq!(
        Folder::new(&[]).faults("first"),
        "there is no issue `first` | There are no issues yet: they are files `issues/<name>.md`.\n"
    );
}

#[test]
fn everything_wrong_is_told_at_once() {
    let folder = Folder::new(&[
        (
            "issues/welcome.md",
            "+++\nsubject = 'News'\narticles = [\n  'articles/one.md',\n  'articles/oen.md',\n  \
             'articles/one.md',\n  'articles',\n  'articles/*.md',\n  'https://a.example/b',\n  \
             'articles/bad.md',\n  'a.pdf',\n  'articles/empty.txt',\n]\n+++\n\
             ![x](images/no.png) ![y](sister.png) ![z](https://a.example/z.png) ![t](<{{ a }}>)\n",
        ),
        (
            "articles/one.md",
            "# One\n\n![a](images/whel.png) and ![b](b.png)\n\n![c](data:image/png;base64,AAAA)\n\n![d](../../etc/passwd)",
        ),
        ("articles/bad.md", "---\ntitel: Bad\ndate: soon\n---\nText"),
        ("articles/empty.txt", " \n"),
        ("images/wheel.png", "-"),
        ("issues/sister.png", "-"),
        ("a.pdf", "-"),
    ]);
    assert_eq!(
        folder.faults("welcome"),
        "articles/one.md:3:6: there is no picture `images/whel.png` | Did you mean `images/wheel.png`?\n\
         articles/one.md:3:32: there is no picture `b.png` | Paths are relative to the newsletter's folder, or to the article's file.\n\
         articles/one.md:5:6: the picture `data:image/png;base64,AAAA` is neither a file nor on the web | Name a file in the newsletter's folder, or an https address.\n\
         articles/one.md:7:6: `../../etc/passwd` lies outside the newsletter's folder | Move it inside, or set `allow_outside = true` under `[sources]` in `newsletter.toml`.\n\
         issues/welcome.md:5:4: there is no article `articles/oen.md` | Did you mean `articles/one.md`?\n\
         issues/welcome.md:6:4: the article `articles/one.md` is named twice | It is the issue's article 1 already; take one of them out.\n\
         issues/welcome.md:7:4: `articles` is a folder | Name each article by its own path; folders are not read as a whole.\n\
         issues/welcome.md:8:4: `articles/*.md` is a pattern | Name each article by its own path; patterns are not understood.\n\
         issues/welcome.md:9:4: `https://a.example/b` is an address, not a file | Save the page as Markdown or plain text and name the file.\n\
         articles/bad.md:2:1: unknown key `titel` | Did you mean `title`?\n\
         articles/bad.md:3:7: `date` is not a date | Write year, month and day: `2026-11-23`.\n\
         `a.pdf` is not an article | Articles are Markdown (`.md`, `.markdown`) or plain text (`.txt`).\n\
         articles/empty.txt:1:1: the article `articles/empty.txt` has no title | Its first line is its title; it has none.\n\
         issues/welcome.md:15:6: there is no picture `images/no.png` | Paths are relative to the newsletter's folder.\n\
         issues/welcome.md:15:26: there is no picture `sister.png` | Write `issues/sister.png`: in a letter, paths are relative to the newsletter's folder.\n"
    );
}

#[cfg(unix)]
#[test]
fn what_lies_outside_needs_leave() {
    let outside = Folder::new(&[("far.md", "# Far\n\nAway.")]);
    let folder = Folder::new(&[("issues/welcome.md", "")]);
    std::os::unix::fs::symlink(outside.0.path(), folder.0.path().join("link")).unwrap();
    let far = outside.0.path().join("far.md");
    let climbing = format!("..{}", far.display());
    for path in [
        "link/far.md",
        far.to_str().unwrap(),
        "../nothing.md",
        &climbing,
    ] {
        let error = article(&folder.root(), path).unwrap_err();
        assert_eq!(
            faults(&error),
            format!(
                "`{path}` lies outside the newsletter's folder | Move it inside, or set `allow_outside = true` under `[sources]` in `newsletter.toml`.\n"
            )
        );
    }
    let open = Root {
        bounds: Bounds::None,
        ..folder.root()
    };
    for path in ["link/far.md", far.to_str().unwrap()] {
        assert_eq!(article(&open, path).unwrap().0.title, "Far");
    }
    assert!(
        article(&open, "../nothing.md")
            .unwrap_err()
            .message()
            .starts_with("there is no article")
    );
    folder.write("articles/near.md", "# Near");
    assert_eq!(
        faults(&article(&folder.root(), "/articles/near.md").unwrap_err()),
        "`/articles/near.md` lies outside the newsletter's folder | Write `articles/near.md`, without the slash before it.\n"
    );
    // A link that stays inside is as good as a file.
    std::os::unix::fs::symlink("near.md", folder.0.path().join("articles/also.md")).unwrap();
    assert_eq!(
        article(&folder.root(), "articles/also.md").unwrap().0.slug,
        "also"
    );
}

#[test]
fn two_articles_of_one_name_have_two_slugs() {
    let folder = Folder::new(&[
        (
            "issues/welcome.md",
            "---\nsubject: a\narticles: [a/x.md, b/x.md, b/x-2.md, c/x.txt]\n---\n",
        ),
        ("a/x.md", "# A"),
        ("b/x.md", "# B"),
        ("b/x-2.md", "# C"),
        ("c/x.txt", "D"),
    ]);
    let gathered = issue(&folder.root(), "welcome").unwrap();
    let slugs: Vec<&str> = gathered
        .issue
        .articles
        .iter()
        .map(|article| article.slug.as_str())
        .collect();
    assert_eq!(slugs, ["x", "x-3", "x-2", "x-4"]);
}

#[test]
fn a_thousand_articles_of_one_name_have_a_thousand_slugs() {
    let mut articles: Vec<_> = (0..1_000).map(|_| Arc::<Article>::default()).collect();
    make_slugs_unique(&mut articles);
    let slugs: HashSet<_> = articles.iter().map(|article| &article.slug).collect();
    assert_eq!(slugs.len(), 1_000);
    assert_eq!(articles[999].slug, "-1000");
}

#[test]
fn the_title_comes_from_the_front_matter_or_the_first_heading() {
    let folder = Folder::new(&[]);
    let read = |content: &str| {
        folder.write("a.md", content);
        article(&folder.root(), "a.md").map(|(article, _)| (article.title, article.body.len()))
    };
    assert_eq!(
        read("# *One* `two`\nText").unwrap(),
        ("One two".to_owned(), 1)
    );
    assert_eq!(read("One\n===\n\nText").unwrap(), ("One".to_owned(), 1));
    assert_eq!(
        read("---\ntitle: One\n---\n# One\n\nText").unwrap(),
        ("One".to_owned(), 1)
    );
    assert_eq!(
        read("---\ntitle: It's One\n---\n# It's one\n\nText").unwrap(),
        ("It's One".to_owned(), 1)
    );
    assert_eq!(
        read("---\ntitle: One\n---\n# Two\n\nText").unwrap(),
        ("One".to_owned(), 2)
    );
    assert_eq!(read("# One").unwrap(), ("One".to_owned(), 0));
    assert_eq!(
        faults(&read("Text").unwrap_err()),
        "a.md:1:1: the article `a.md` has no title | Begin it with a line `# Title`, or give it a `title` in its front matter.\n"
    );
}

#[test]
fn an_article_cannot_forge_a_token() {
    let folder = Folder::new(&[(
        "a.md",
        "# A\u{f0000}\n\nB&#xF0001;[c](https://a.example/\u{f0002}%F3%B0%80%80) {{ 7*7 }}\u{1}",
    )]);
    let (article, _) = article(&folder.root(), "a.md").unwrap();
    assert_eq!(article.title, "A");
    assert_eq!(
        article.body,
        [Block::Paragraph(vec![
            Inline::Text("B".to_owned()),
            Inline::Link {
                url: "https://a.example/".to_owned(),
                content: text("c"),
            },
            Inline::Text(" {{ 7*7 }}".to_owned()),
        ])]
    );
}

#[test]
fn plain_text_may_have_front_matter() {
    let folder = Folder::new(&[(
        "a.txt",
        "+++\ntitle = 'The Press'\nbyline = 'Ada'\n+++\nThe Press\n\nBy Bo Li\n\nIt runs.\n",
    )]);
    let (article, _) = article(&folder.root(), "a.txt").unwrap();
    assert_eq!(
        (article.title.as_str(), article.byline.as_deref()),
        ("The Press", Some("Ada"))
    );
    assert_eq!(article.body, [Block::Paragraph(text("It runs."))]);
}

#[test]
fn a_file_that_is_not_text_is_refused() {
    let folder = Folder::new(&[]);
    folder.write("a.md", b"# A\n\xff");
    assert!(
        article(&folder.root(), "a.md")
            .unwrap_err()
            .message()
            .contains("is not UTF-8 text")
    );
    let nowhere = Root {
        folder: Path::new("/nonexistent/newsletter").to_owned(),
        bounds: Bounds::Newsletter,
    };
    assert!(issue(&nowhere, "a").is_err());
}

#[test]
fn a_desk_parses_again_what_has_changed_and_nothing_else() {
    let folder = Folder::new(&[
        (
            "issues/welcome.md",
            "---\nsubject: a\narticles: [a.md, b.txt]\n---\nDear reader\n",
        ),
        ("a.md", "# A\n\n![Alt](p.gif)\n\n<b>raw</b>\n"),
        ("b.txt", "B\n\nText.\n"),
        ("p.gif", GIF),
    ]);
    let root = folder.root();
    let mut desk = Desk::default();
    let mut read = |parsed: usize| {
        let before = desk.parsed();
        let kept = desk.issue(&root, "welcome");
        let fresh = issue(&root, "welcome");
        match (kept, fresh) {
            (Ok(kept), Ok(fresh)) => {
                assert_eq!(kept.issue.articles, fresh.issue.articles);
                assert_eq!(kept.findings, fresh.findings);
            }
            (kept, fresh) => assert_eq!(faults(&kept.unwrap_err()), faults(&fresh.unwrap_err())),
        }
        assert_eq!(desk.parsed() - before, parsed);
    };
    read(2);
    read(0);
    folder.write("b.txt", "B\n\nOther text.\n");
    read(1);
    folder.write(
        "issues/welcome.md",
        "---\nsubject: b\narticles: [b.txt, a.md]\n---\n",
    );
    read(0);
    // A picture that is gone, spoiled or elsewhere changes what is said of the article.
    std::fs::remove_file(folder.0.path().join("p.gif")).unwrap();
    read(1);
    read(1);
    folder.write("p.gif", "no picture");
    read(1);
    folder.write("p.gif", GIF);
    read(0);
    folder.write("a.md", "no title");
    read(1);
    read(1);
}
