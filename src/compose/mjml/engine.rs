//! The MJML that was prepared → HTML, by `mrml`.

mod silence;

use std::{collections::HashMap, thread};

use mrml::prelude::{
    parser::{Error as ParseError, ParserOptions},
    render::RenderOptions,
};

use super::prepare::Prepared;
use crate::error::{Error, Kind, Result};

/// The engine goes down one call for each level of the document, and its calls are large. So many
/// levels fit on any stack, and no page that people read has more.
const SHALLOW: usize = 32;

/// A stack of its own holds the depth that the reader allows. What is not used of it costs no memory;
/// to start a thread costs more than to render a small page, though.
const STACK: usize = 64 * 1024 * 1024;

/// Renders a prepared document; its slots are still open.
///
/// # Errors
/// What the engine refuses, at the place of the nearest element.
pub(super) fn render(prepared: &Prepared) -> Result<String> {
    // What was prepared holds nothing that is known to make the engine panic. Should it do so all the
    // same, it ends there, and we do not.
    let rendered = if prepared.depth <= SHALLOW {
        silence::quietly(|| run(prepared))
    } else {
        thread::scope(|scope| {
            let engine = thread::Builder::new()
                .name("mjml".to_owned())
                .stack_size(STACK)
                .spawn_scoped(scope, || silence::quietly(|| run(prepared)))
                .map_err(|cause| {
                    Error::new(Kind::Io, "cannot start the MJML engine").because(&cause)
                })?;
            Ok::<_, Error>(engine.join().ok().flatten())
        })?
    };
    rendered.unwrap_or_else(|| Err(Error::bug("the MJML engine has panicked")))
}

fn run(prepared: &Prepared) -> Result<String> {
    let parsed = mrml::parse_with_options(&prepared.mjml, &ParserOptions::default())
        .map_err(|error| refused(prepared, &error))?;
    let options = RenderOptions {
        // A font that nobody has asked for must not make each reader call a font server.
        fonts: HashMap::new(),
        ..RenderOptions::default()
    };
    let rendered = parsed.element.render(&options);
    rendered.map_err(|error| Error::data("cannot lay out the MJML").because(&error))
}

fn refused(prepared: &Prepared, error: &ParseError) -> Error {
    let span = match error {
        ParseError::UnexpectedElement { position, .. }
        | ParseError::UnexpectedToken { position, .. }
        | ParseError::MissingAttribute { position, .. }
        | ParseError::InvalidAttribute { position, .. }
        | ParseError::InvalidFormat { position, .. } => Some(position.start),
        _ => None,
    };
    let after = span.map_or(1, |at| {
        let elements = &prepared.elements;
        elements.partition_point(|(start, _)| *start <= at)
    });
    let nearest = after
        .checked_sub(1)
        .and_then(|last| prepared.elements.get(last));
    let (what, place) = match nearest {
        Some((start, place)) => {
            let name = prepared.mjml.get(start + 1..).unwrap_or_default();
            let end = name.find([' ', '>', '/']).unwrap_or(name.len());
            (format!("`<{}>`", &name[..end]), Some(place.clone()))
        }
        None => ("the document".to_owned(), None),
    };
    // What the engine says of positions is about the document as prepared, which nobody has seen.
    let error = match error {
        ParseError::UnexpectedElement { .. } => Error::data(format!("{what} cannot stand here")),
        ParseError::MissingAttribute { name, .. } => {
            Error::data(format!("{what} needs the attribute `{name}`"))
        }
        ParseError::InvalidAttribute { .. } => {
            Error::data(format!("an attribute of {what} has no valid value"))
        }
        ParseError::UnexpectedToken { .. } | ParseError::InvalidFormat { .. } => {
            Error::data(format!("cannot lay out {what}"))
        }
        other => Error::data(format!("cannot lay out {what}")).because(other),
    };
    match place {
        Some(place) => error.at(place),
        None => error,
    }
}
