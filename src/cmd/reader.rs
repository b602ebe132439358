//! The reader that a build, a preview or a test mail is made for.

use super::{
    project::{Keys, Project},
    report,
    rollcall::RollCall,
};
use crate::{
    audience::{Address, Recipient, Segment},
    compose::{Edition, InlineImage},
    error::{Error, Kind, Result, nearest},
    issue::Issue,
    mail::{self, Letterhead, Mail, Merged, Merger},
};

/// The address of the reader who is nobody.
const NOBODY: &str = "reader@example.com";

/// A subscriber of the list by address, or a reader without any fields.
pub(super) fn reader(project: &Project, address: Option<&str>) -> Result<Recipient> {
    let Some(wanted) = address else {
        let address: Address = NOBODY
            .parse()
            .map_err(|_| Error::bug("the fixed reader has no address"))?;
        let mut fields = project.empty_fields();
        fields.insert(
            "email".into(),
            crate::audience::Value::Text(address.to_string()),
        );
        return Ok(Recipient {
            line: 0,
            address,
            fields,
        });
    };
    let mut call = RollCall::open(project, Segment::All)?;
    let mut near: Option<String> = None;
    while let Some(recipient) = call.next(|_| {})? {
        let address = recipient.address.as_str();
        if address.eq_ignore_ascii_case(wanted) {
            return Ok(recipient);
        }
        let known = near.as_deref().into_iter().chain([address]);
        near = nearest(wanted, known).map(str::to_owned);
    }
    let error = Error::new(
        Kind::NoInput,
        format!(
            "`{wanted}` is not among the recipients in `{}`",
            project.settings.list.path
        ),
    );
    Err(match near {
        Some(near) => error.hint(format!("Did you mean `{near}`?")),
        None => error,
    })
}

/// Edition + reader → mail, with the date and the links that an unsent mail has.
pub(super) fn mail(
    project: &Project,
    issue: &Issue,
    edition: &Edition,
    reader: &Recipient,
) -> Result<(Mail, Merged)> {
    mail_by(&Merger::new(edition)?, project, issue, edition, reader)
}

/// The same with an edition that was compiled before.
pub(super) fn mail_by(
    merger: &Merger,
    project: &Project,
    issue: &Issue,
    edition: &Edition,
    reader: &Recipient,
) -> Result<(Mail, Merged)> {
    let date = Project::date_of(issue);
    let letterhead: Letterhead = project.letterhead(issue, &issue.slug, date, Keys::Wanted)?;
    let merged = merger.merge(&reader.fields, &letterhead.links(&reader.address));
    let merged = match merged {
        Ok(merged) => merged,
        Err(error) if reader.line == 0 => return Err(of_nobody(project, edition, error)),
        Err(error) => return Err(error),
    };
    let mail = mail::address(&letterhead, merger, &edition.images, reader)?;
    Ok((mail, merged))
}

/// What the reader without any fields lacks: a column that the list does not have, or only a default.
fn of_nobody(project: &Project, edition: &Edition, error: Error) -> Error {
    // A list that cannot be read has its own say elsewhere.
    let unknown = project
        .columns()
        .ok()
        .and_then(|columns| report::fields(edition, &columns, &project.settings.list.path).err());
    match unknown {
        Some(unknown) => unknown,
        None if error.message().starts_with("this reader has no") => error.hint(
            "This mail is made for nobody in particular; `--as EMAIL` makes it for a subscriber.",
        ),
        None => error,
    }
}

/// The HTML with its pictures inside, so that a browser shows it as it is, offline.
pub(super) fn standalone(html: &str, images: &[InlineImage]) -> String {
    let mut pieces = html.split("cid:");
    let mut page = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let called = |image: &&InlineImage| piece.starts_with(&image.content_id);
        match images.iter().find(called) {
            Some(image) => {
                page += &format!("data:{};base64,", image.media_type);
                data_encoding::BASE64.encode_append(&image.bytes, &mut page);
                page += &piece[image.content_id.len()..];
            }
            None => {
                page += "cid:";
                page += piece;
            }
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_that_travel_are_shown_and_others_stay() {
        let image = InlineImage {
            content_id: "a@x.example".to_owned(),
            media_type: "image/png".to_owned(),
            file_name: "a.png".to_owned(),
            bytes: vec![0, 1, 2],
        };
        assert_eq!(
            standalone("cid:a@x.example\" cid:b cid:", &[image]),
            "data:image/png;base64,AAEC\" cid:b cid:"
        );
    }
}
