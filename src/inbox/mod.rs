//! The room `inbox`.
