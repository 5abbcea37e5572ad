//! The consent page.
