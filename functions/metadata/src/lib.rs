//! Discovery, authorization server metadata and JWKS.
