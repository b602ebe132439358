//! A file by its path, as a template names it.

use super::{
    Root,
    path::{Sought, is_address, nearest_file},
};
use crate::{
    error::{Error, Kind, Result},
    fs,
    place::Text,
};

/// Reads a text by its path.
///
/// Fails when there is none, when it lies outside, and when it is not UTF-8.
pub fn text(root: &Root, path: &str) -> Result<Text> {
    if is_address(path) {
        return Err(Error::data(format!("`{path}` is an address, not a file")));
    }
    match root.seek(path)? {
        Sought::File(found) => Ok(Text::new(found.name, fs::read_text(&found.path)?)),
        Sought::Folder => {
            let message = format!("`{path}` is a folder, not a file");
            Err(Error::new(Kind::NoInput, message))
        }
        Sought::Nothing => {
            let error = Error::new(Kind::NoInput, format!("there is no file `{path}`"));
            Err(match nearest_file(root, path) {
                Some(meant) => error.hint(format!("Did you mean `{meant}`?")),
                None => error,
            })
        }
    }
}
