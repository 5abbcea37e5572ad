//! The Worker that owns the Durable Object class.
