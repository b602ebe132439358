//! Delivery over TLS: what is trusted, and what never goes out in clear text.
