//! The room `cmd`.
