//! The room `source`.

/// A picture of the newsletter's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its path relative to the newsletter's folder.
    pub src: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// `image/png`, `image/jpeg` or `image/gif`.
    pub media_type: &'static str,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}
