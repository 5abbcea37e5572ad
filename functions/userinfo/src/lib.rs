//! UserInfo (OpenID Connect Core §5.3).
