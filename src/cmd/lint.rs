//! `lint [ISSUE]`: everything that `send` would refuse or warn of before the first mail, at once.

use super::{
    project::Project,
    report,
    rollcall::{Called, RollCall},
};
use crate::{
    audience::Segment,
    cli::LintArgs,
    error::{Kind, Result},
    exit::Exit,
    finding::{Finding, Severity},
    source,
    ui::Format,
};

pub(super) fn run(args: &LintArgs, project: &Project) -> Result<Exit> {
    let issues = match &args.issue {
        Some(issue) => vec![issue.clone()],
        None => source::issues(&project.root())?,
    };
    let (mut findings, columns) = list(project);
    for issue in &issues {
        match check(project, issue, columns.as_deref(), &mut findings) {
            Err(error)
                if args.issue.is_some()
                    && error.kind() == Kind::NoInput
                    && error.place().is_none() =>
            {
                return Err(error);
            }
            Err(error) => add(Finding::all_of(&error), &mut findings),
            Ok(()) => {}
        }
    }
    report::findings(project.ui, &findings);
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    let errors = findings.iter().filter(is_error).count();
    if project.ui.format() == Format::Human {
        let warnings = findings.len() - errors;
        let count = |number: usize, thing: &str| match number {
            1 => format!("1 {thing}"),
            _ => format!("{number} {thing}s"),
        };
        project.ui.status(&format!(
            "{}, {} in {}",
            count(errors, "error"),
            count(warnings, "warning"),
            count(issues.len(), "issue")
        ));
    }
    match errors {
        0 => Ok(Exit::Done),
        _ => Ok(Exit::Findings),
    }
}

/// What is wrong with the list, and its columns where it can be read.
fn list(project: &Project) -> (Vec<Finding>, Option<Vec<String>>) {
    let list = &project.settings.list.path;
    let mut findings = Vec::new();
    let mut note = |called: &Called<'_>| match called {
        Called::Odd(finding) => findings.push((*finding).clone()),
        Called::LeftOut(row) if row.rule != "suppressed" => findings.push(row.finding(list)),
        Called::Row | Called::LeftOut(_) => {}
    };
    let columns = RollCall::open(project, Segment::All).and_then(|mut call| {
        while call.next(&mut note)?.is_some() {}
        Ok(call.columns())
    });
    match columns {
        Ok(columns) => (findings, Some(columns)),
        Err(error) => (Finding::all_of(&error), None),
    }
}

/// Adds findings; two issues of one template have the same to say.
fn add(found: impl IntoIterator<Item = Finding>, findings: &mut Vec<Finding>) {
    for finding in found {
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
}

fn check(
    project: &Project,
    issue: &str,
    columns: Option<&[String]>,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let gathered = source::issue(&project.root(), issue)?;
    let composed = project.set(&gathered.issue);
    let composed = match composed {
        Ok(composed) => composed,
        Err(error) => return Err(error.after(gathered.findings)),
    };
    let found = gathered.findings.into_iter().chain(composed.findings);
    add(found, findings);
    let list = &project.settings.list.path;
    columns.map_or(Ok(()), |columns| {
        report::fields(&composed.edition, columns, list)
    })?;
    super::send::segment(&gathered.issue).map(drop)
}
