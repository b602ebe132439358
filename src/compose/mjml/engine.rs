//! The tree that was prepared → HTML, by `mrml`.

mod silence;

use std::{collections::HashMap, thread};

use mrml::prelude::render::RenderOptions;

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
/// What the engine refuses.
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
    let options = RenderOptions {
        // A font that nobody has asked for must not make each reader call a font server.
        fonts: HashMap::new(),
        ..RenderOptions::default()
    };
    let rendered = prepared.mjml.render(&options);
    rendered.map_err(|error| Error::data("cannot lay out the MJML").because(&error))
}
