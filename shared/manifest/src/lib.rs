//! The table of functions: for each function its routes, record access, keys, schedule and memory.
//!
//! `cargo xtask generate` writes the functions of `template.yaml`, all of `wrangler.toml`, the dispatch of the local server
//! and the tables of the documentation from it. The shells of each platform read a function's row for its routes and its
//! record access. A new function is one row of [`FUNCTIONS`] and one crate below `functions/`.

mod access;
mod function;
mod purpose;
mod route;
mod table;
mod unknown_path;

pub use access::{Access, Owner, RecordKind, Verb};
pub use function::{Function, Keys, Role, Schedule};
pub use http::Method;
pub use purpose::Purpose;
pub use route::Route;
pub use table::{FUNCTIONS, MAIL, find_route, function};
pub use unknown_path::{FALLBACK, is_open};
