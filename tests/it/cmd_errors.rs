//! What is wrong in the user's files is shown in their files: line, column, cause and hint.

use crate::project::{Project, SETTINGS};

const ISSUE: &str = "+++\nsubject = \"Hello\"\narticles = [\"articles/one.md\"]\n+++\n\nHello.\n";

const ARTICLE: &str = "+++\ntitle = \"One\"\n+++\n\nText.\n";

fn project() -> Project {
    Project::new()
        .file("issues/a.md", ISSUE)
        .file("articles/one.md", ARTICLE)
}

#[track_caller]
fn refused(project: &Project, code: i32, stderr: &str) {
    let _ = project
        .run(&["send", "a", "--sandbox", "--yes"])
        .exit(code)
        .stdout("")
        .stderr(stderr);
    assert!(project.messages(".letterpress/sandbox").is_empty());
}

#[test]
fn a_wrong_setting() {
    refused(
        &project().settings("\n[list]\npth = \"x\"\n"),
        78,
        "error: unknown key `pth`
 --> newsletter.toml:9:1
  |
9 | pth = \"x\"
  | ^^^
  |
  = help: Did you mean `path`?
",
    );
}

#[test]
fn a_wrong_key_in_front_matter_of_either_kind() {
    refused(
        &project().file("issues/a.md", "---\nsubjet: Hello\n---\n"),
        65,
        "error: the issue has no `subject`
 --> issues/a.md:1:1
  |
1 | ---
  | ^^^
  |
  = help: Add the key `subject`.
error: unknown key `subjet`
 --> issues/a.md:2:1
  |
2 | subjet: Hello
  | ^^^^^^
  |
  = help: Did you mean `subject`?
",
    );
}

#[test]
fn an_article_and_a_picture_that_are_not_there() {
    refused(
        &project()
            .file(
                "issues/a.md",
                ISSUE.replace(
                    "\"articles/one.md\"",
                    "\"articles/one.md\", \"articles/tow.md\"",
                ),
            )
            .file("articles/two.md", ARTICLE)
            .file(
                "articles/one.md",
                format!("{ARTICLE}\n![A press](images/press.png)\n"),
            ),
        65,
        "error: there is no picture `images/press.png`
 --> articles/one.md:7:12
  |
7 | ![A press](images/press.png)
  |            ^^^^^^^^^^^^^^^^
  |
  = help: Paths are relative to the newsletter's folder, or to the article's file.
error: there is no article `articles/tow.md`
 --> issues/a.md:3:33
  |
3 | articles = [\"articles/one.md\", \"articles/tow.md\"]
  |                                 ^^^^^^^^^^^^^^^
  |
  = help: Did you mean `articles/two.md`?
",
    );
}

#[test]
fn a_name_that_a_template_does_not_know() {
    refused(
        &project().file("templates/digest.mjml", "<mjml><mj-body>\n<mj-section><mj-column>\n<mj-text>{{ issue.titel }}</mj-text>\n</mj-column></mj-section>\n</mj-body></mjml>\n"),
        65,
        "error: `titel` is not defined
 --> templates/digest.mjml:3:19
  |
3 | <mj-text>{{ issue.titel }}</mj-text>
  |                   ^^^^^
  |
  = help: Did you mean `title`?
",
    );
}

#[test]
fn mjml_that_is_out_of_balance() {
    refused(
        &project()
            .file(
                "templates/digest.mjml",
                "<mjml><mj-body>\n{% include \"partials/p.mjml\" %}\n</mj-body></mjml>\n",
            )
            .file(
                "templates/partials/p.mjml",
                "<mj-section>\n  <mj-column>\n    <mj-text>x</mj-text>\n</mj-section>\n",
            ),
        65,
        "error: `</mj-section>` closes nothing here: `<mj-column>` of line 2 is still open
 --> templates/partials/p.mjml:4:1
  |
4 | </mj-section>
  | ^^^^^^^^^^^^
  |
  = help: Write `</mj-column>` before it.
",
    );
}

#[test]
fn a_field_that_the_list_does_not_have() {
    refused(
        &project().file(
            "issues/a.md",
            "+++\nsubject = \"For {{ subscriber.frist_name }}\"\n+++\n\nHello.\n",
        ),
        65,
        "error: `subscribers/list.csv` has no column `frist_name`
 --> issues/a.md:2:16
  |
2 | subject = \"For {{ subscriber.frist_name }}\"
  |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: Did you mean `subscriber.first_name`?
",
    );
}

#[test]
fn a_field_that_one_reader_lacks() {
    refused(
        &project().file(
            "issues/a.md",
            "+++\nsubject = \"For {{ subscriber.first_name }}\"\n+++\n\nHello.\n",
        ),
        65,
        "error: this reader has no `first_name`
 --> issues/a.md:2:16
  |
2 | subject = \"For {{ subscriber.first_name }}\"
  |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = note: in the mail of 1 of 3 readers: subscribers/list.csv:3
  = help: Write `{{ subscriber.first_name | default(value=\"…\") }}`, or `{% if subscriber.first_name %}` around it.
",
    );
}

#[test]
fn rows_of_the_list_are_named_all() {
    let good: String = (0..60).fold(String::new(), |list, number| {
        list + &format!("reader-{number}@example.com,R\n")
    });
    let project = project().file(
        "subscribers/list.csv",
        format!("email,first_name\nann@exam ple.com,Ann\n{good}READER-7@example.com,Again\nbob.example.com,Bob\n"),
    );
    let output = project.run(&["send", "a", "--dry-run"]).exit(0);
    let places: Vec<&str> = output
        .stderr
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--> "))
        .collect();
    assert_eq!(
        places,
        [
            "subscribers/list.csv:2:1",
            "subscribers/list.csv:63:1",
            "subscribers/list.csv:64:1"
        ]
    );
    assert_eq!(project.messages(".letterpress/dry-run/a").len(), 60);
}

#[test]
fn an_issue_that_is_not_there() {
    let project = project();
    let _ = project.run(&["build", "b"]).exit(66).stdout("");
    let _ = Project::empty()
        .run(&["build", "a"])
        .exit(66)
        .stdout("")
        .stderr(
            "error: there is no `newsletter.toml` in `$DIR` or above it
 |
 = help: Run `letterpress init` to lay out a newsletter, or name its folder with `-C DIR`.
",
        );
}

#[test]
fn a_list_without_anybody() {
    refused(
        &project().file("subscribers/list.csv", "email,first_name\n"),
        65,
        "error: `subscribers/list.csv` has nobody to send to
 |
 = help: It has 0 rows below its header, and 0 of them are left out.
",
    );
}

#[test]
fn suppressions_that_cannot_be_looked_at_are_not_taken_for_none() {
    // A path through a file is there or not: nobody can tell.
    let settings = "\n[list]\nsuppressions = \"subscribers/list.csv/suppressions.csv\"\n";
    refused(
        &project().settings(settings),
        74,
        "error: cannot read `$DIR/subscribers/list.csv/suppressions.csv`: Not a directory (os error 20)
",
    );
}

#[test]
fn an_issue_whose_name_begins_with_a_dot() {
    let project = project().file("issues/...md", ISSUE);
    project.write(".letterpress/dry-run/a/0.eml", "kept");
    let _ = project
        .run(&["send", "..", "--dry-run", "--yes"])
        .exit(65)
        .stdout("")
        .stderr(
            "error: the issue's name `..` begins with a dot
 |
 = help: Files whose names begin with a dot are hidden; give this one another name.
",
        );
    assert_eq!(project.read(".letterpress/dry-run/a/0.eml"), "kept");
}

#[cfg(unix)]
#[test]
fn an_environment_that_is_not_utf8_is_none_of_our_business() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let project = project();
    let output = project
        .command(&["status"])
        .env("ODD", OsStr::from_bytes(b"\xff"))
        .output()
        .expect("letterpress runs");
    let _ = project.output(output).exit(0).stderr("");
}

#[cfg(unix)]
#[test]
fn a_folder_of_templates_that_leads_back_to_itself_is_read_once() {
    let project = project();
    for link in ["one", "two", "three"] {
        project.write("templates/partials/x.txt", "");
        let above = project.path("templates");
        std::os::unix::fs::symlink(&above, above.join(link)).expect("a link");
    }
    let _ = project.run(&["build", "a"]).exit(0);
}

#[test]
fn a_return_path_that_is_no_address_is_told_before_anything_is_entered_in_the_books() {
    let settings = SETTINGS.replace("list_id", "return_path = \"nobody\"\nlist_id");
    let project = project().file("newsletter.toml", settings);
    refused(
        &project,
        78,
        "error: `nobody` cannot be the return path
 --> newsletter.toml:4:1
  |
4 | return_path = \"nobody\"
  | ^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: Write an address; `{token}` in it, and no other name, becomes the token of each mail.
",
    );
    assert!(!project.path(".letterpress/ledger.db").exists());
    assert!(!project.path(".letterpress/campaigns").exists());
}

#[test]
fn pictures_that_mails_cannot_show_are_all_named_where_they_are_called_for() {
    let project = project()
        .file("articles/a.svg", "<svg/>")
        .file("articles/b.png", "no picture")
        .file(
            "articles/one.md",
            format!("{ARTICLE}\n![A](a.svg)\n\n![B](b.png)\n\n![C](c.png)\n"),
        );
    let output = project.run(&["build", "a"]).exit(65);
    let errors = output.stderr.lines().filter(|line| line.contains("-->"));
    let places: Vec<&str> = errors.map(str::trim).collect();
    assert_eq!(
        places,
        [
            "--> articles/one.md:7:6",
            "--> articles/one.md:9:6",
            "--> articles/one.md:11:6"
        ]
    );
}

#[test]
fn a_build_for_nobody_knows_the_columns_of_the_list() {
    let letter = |field: &str| {
        project()
            .file(
                "issues/a.md",
                format!("+++\nsubject = \"Hello\"\n+++\n\nDear {{{{ subscriber.{field} }}}}\n"),
            )
            .run(&["build", "a"])
            .exit(65)
            .stderr
    };
    assert!(letter("frist_name").contains("Did you mean `subscriber.first_name`?"));
    let known = letter("first_name");
    assert!(known.contains("this reader has no `first_name`"), "{known}");
    assert!(known.contains("`--as EMAIL`"), "{known}");
}

#[test]
fn what_send_would_refuse_shows_in_the_exit_code_of_a_build() {
    let project = project().file(
        "templates/digest.mjml",
        "<mjml><mj-body><mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section></mj-body></mjml>",
    );
    let output = project.run(&["build", "a"]).exit(1);
    assert!(
        output
            .stderr
            .contains("error: the page has no link to unsubscribe\n --> templates/digest.mjml:1:1")
    );
    assert!(output.stdout.contains("message.eml"));
}

#[test]
fn an_issue_without_words_and_an_article_without_a_link_are_noted() {
    let output = project()
        .file("issues/a.md", "+++\nsubject = \"Hello\"\n+++\n")
        .run(&["build", "a"])
        .exit(0);
    assert!(
        output
            .stderr
            .contains("the issue has no letter and no articles")
    );
    let output = project()
        .file(
            "articles/one.md",
            "+++\ntitle = \"One\"\nurl = \"news.example.com/one\"\n+++\n\nText.\n",
        )
        .run(&["build", "a"])
        .exit(0);
    assert!(
        output.stderr.contains("--> articles/one.md:3:"),
        "{}",
        output.stderr
    );
}

#[test]
fn suppressions_that_are_named_and_not_there() {
    refused(
        &project().settings("\n[list]\nsuppressions = \"supressions.csv\"\n"),
        66,
        "error: there is no file `supressions.csv`
 |
 = help: `list.suppressions` names it; while nobody is suppressed, it holds the line `email` alone.
",
    );
}

#[test]
fn a_subject_that_is_blank_for_some_readers() {
    let project = project().file(
        "issues/a.md",
        "+++\nsubject = \"{% if subscriber.first_name %}Hello{% endif %}\"\n+++\n\nHello.\n",
    );
    let output = project.run(&["send", "a", "--sandbox", "--yes"]).exit(65);
    let told = "error: this reader's subject is blank\n --> issues/a.md:2:12";
    assert!(output.stderr.contains(told), "{}", output.stderr);
    assert!(
        output
            .stderr
            .contains("in the mail of 1 of 3 readers: subscribers/list.csv:3")
    );
}

#[test]
fn a_field_of_several_entries_may_be_called_as_the_list_calls_it() {
    let output = project()
        .settings("\n[list]\nlist_fields = [\"Fields of Interest\"]\n")
        .file(
            "subscribers/list.csv",
            "email,Fields of Interest\nann@example.org,a; b\n",
        )
        .file(
            "issues/a.md",
            "+++\nsubject = \"{{ subscriber.fields_of_interest | join(sep='+') }}\"\n+++\n\nHello.\n",
        )
        .run(&["build", "a", "--as", "ann@example.org", "-q"])
        .exit(0);
    assert_eq!(output.stderr, "");
}

#[test]
fn no_bad_row_is_kept_back_however_many_there_are() {
    let good: String = (0..1000).fold(String::new(), |list, number| {
        list + &format!("reader-{number}@example.com,R\n")
    });
    let bad: String = (0..30).fold(String::new(), |list, number| {
        list + &format!("nobody-{number},R\n")
    });
    let left = (0..40).fold("email\n".to_owned(), |list, number| {
        list + &format!("reader-{number}@example.com\n")
    });
    let project = project()
        .file(
            "subscribers/list.csv",
            format!("email,first_name\n{good}{bad}"),
        )
        .file("subscribers/suppressions.csv", left);
    let output = project
        .run(&["send", "a", "--dry-run", "--limit", "1"])
        .exit(0);
    for line in 1002..1032 {
        let place = format!("subscribers/list.csv:{line}:1");
        assert!(output.stderr.contains(&place), "{place} is not named");
    }
    assert!(
        output
            .stderr
            .contains("\nwarning: 40 people are left out because they are suppressed\n"),
        "{}",
        output.stderr
    );
}
