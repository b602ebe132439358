//! `mj-include`, from files to pages.

use crate::project::{Project, SETTINGS};

const ISSUE: &str = "+++\nsubject = \"Hello\"\n+++\nA letter.\n";

/// A newsletter whose template is `page`, between a masthead of its own and the theme's footer.
fn newsletter(page: &str) -> Project {
    let page = format!(
        "<mjml><mj-body>\n{page}\n<mj-include path=\"partials/footer.mjml\"/></mj-body></mjml>\n"
    );
    Project::new()
        .file("issues/a.md", ISSUE)
        .file("templates/digest.mjml", page)
}

#[test]
fn a_template_brings_in_what_it_names() {
    let project = newsletter("<mj-include path=\"parts/head.mjml\"/>")
        .file(
            "templates/parts/head.mjml",
            "<mj-include type=\"html\" path=\"raw/hello.html\"/><mj-include type=\"css\" path=\"../../styles/a.css\"/>",
        )
        .file(
            "templates/parts/raw/hello.html",
            "<p class=\"hello\">{{ newsletter.name }} for {{ subscriber.plan | default(value=\"all\") }}</p>",
        )
        .file("styles/a.css", ".hello { color: red } /* {{ no tag }} */");
    let _ = project.run(&["build", "a", "-o", "out"]).exit(0);
    let html = project.read("out/index.html");
    assert!(
        html.contains("<p class=\"hello\">The Test Press for "),
        "{html}"
    );
    assert!(
        html.contains(".hello { color: red } /* {{ no tag }} */"),
        "{html}"
    );
    // A change in an included file is a change of what is sent.
    project.write("templates/parts/raw/hello.html", "<p>Other words</p>");
    let _ = project.run(&["build", "a", "-o", "out"]).exit(0);
    assert!(
        project
            .read("out/index.html")
            .contains("<p>Other words</p>")
    );
}

#[test]
fn a_fault_is_shown_in_the_file_that_has_it() {
    let project = newsletter("<mj-include path=\"b.mjml\"/>")
        .file("templates/b.mjml", "<mj-section>\n<mj-text>x</mj-column>\n");
    let _ = project
        .run(&["-q", "build", "a"])
        .exit(65)
        .stdout("")
        .stderr(
            "error: `<mj-text>` is never closed
 --> templates/b.mjml:2:1
  |
2 | <mj-text>x</mj-column>
  | ^^^^^^^^
  |
  = note: included by `templates/digest.mjml:2:1`
  = help: Write `</mj-text>` where it ends.
",
        );
}

#[test]
fn files_come_from_the_project_alone() {
    let outside = Project::empty().file("secret.mjml", "<mj-raw>secret</mj-raw>");
    let project = Project::new().file("newsletter.toml", SETTINGS).file(
        "mails/a.mjml",
        "<mjml><mj-body>\n<mj-include path=\"../../secret.mjml\"/>\n<mj-include path=\"link.mjml\"/>\n<mj-include path=\"../shared/b.mjml\"/></mj-body></mjml>",
    );
    project.write("shared/b.mjml", "<mj-raw>shared</mj-raw>");
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path("secret.mjml"), project.path("mails/link.mjml"))
        .unwrap();
    #[cfg(unix)]
    let _ = project
        .run(&["mjml", "mails/a.mjml"])
        .exit(65)
        .stdout("")
        .stderr(
            "error: `../secret.mjml` lies outside the project's folder
 --> mails/a.mjml:2:1
  |
2 | <mj-include path=\"../../secret.mjml\"/>
  | ^^^^^^^^^^^
  |
  = help: Move it inside, or name a folder that holds it and the page with `--root`.
error: `mails/link.mjml` lies outside the project's folder
 --> mails/a.mjml:3:1
  |
3 | <mj-include path=\"link.mjml\"/>
  | ^^^^^^^^^^^
  |
  = help: Move it inside, or name a folder that holds it and the page with `--root`.
",
        );
    project.write(
        "mails/a.mjml",
        "<mjml><mj-body><mj-include path=\"../shared/b.mjml\"/></mj-body></mjml>",
    );
    let html = project.run(&["mjml", "mails/a.mjml"]).exit(0).stdout;
    assert!(html.contains("shared"), "{html}");
}

#[test]
fn two_files_do_not_become_one_page() {
    let page = "<mjml><mj-body></mj-body></mjml>";
    let project = Project::empty()
        .file("a.mjml", page)
        .file("b.mjml", page)
        .file("more/a.mjml", page);
    let _ = project
        .run(&["mjml", "a.mjml", "b.mjml", "more/a.mjml", "-o", "out"])
        .exit(64)
        .stderr(
            "error: `a.mjml` and `more/a.mjml` would be one page
 |
 = help: Render them into folders of their own.
",
        );
    assert!(!project.path("out").exists());
    let _ = project
        .run(&["mjml", "a.mjml", "b.mjml", "-o", "out"])
        .exit(0);
}

#[test]
fn a_folder_is_no_file_and_a_file_is_no_folder() {
    let project = Project::empty().file("mails/a.mjml", "<mjml><mj-body></mj-body></mjml>");
    let _ = project.run(&["mjml", "mails"]).exit(64).stdout("").stderr(
        "error: `mails` is a folder, where a file is needed
 |
 = help: Name the files in it: `letterpress mjml mails/*.mjml -o DIR`.
",
    );
    let _ = project
        .run(&["mjml", "mails/a.mjml", "-o", "mails/a.mjml"])
        .exit(73)
        .stdout("")
        .stderr(
            "error: `mails/a.mjml` is a file, where a folder is needed
 |
 = help: Name a folder; each page is written into it as `<name>.html`.
",
        );
}

#[test]
fn what_stops_a_page_hides_no_warning() {
    let project = Project::new().file("newsletter.toml", SETTINGS).file(
        "templates/digest.mjml",
        "<mjml><mj-body>\n<mj-section padding=\"x\">\n<mj-wrong/></mj-section></mj-body></mjml>",
    );
    project.write("issues/one.md", "+++\nsubject = \"S\"\n+++\n");
    let run = project.run(&["lint", "one"]).exit(1);
    assert!(
        run.stderr.contains("warning: `padding` of `<mj-section>`"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("MJML has no element `<mj-wrong>`"),
        "{}",
        run.stderr
    );
    let run = project
        .run(&["mjml", "--validation", "standard", "templates/digest.mjml"])
        .exit(65);
    assert!(
        run.stderr.contains("warning: `padding` of `<mj-section>`"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("error: MJML has no element `<mj-wrong>`"),
        "{}",
        run.stderr
    );
}
