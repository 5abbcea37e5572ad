//! Logos: pictures that an operator uploads and that browsers of users read.

use protocol::{Logo, LogoFormat};

/// A picture that is accepted is delivered as it came, with the type of its signature, and no other kind of file has that signature.
pub(crate) fn logo(bytes: &[u8]) {
    let Ok(logo) = Logo::parse(bytes.to_vec()) else { return };
    assert_eq!(logo.bytes(), bytes);
    assert!(bytes.len() <= Logo::MAX_BYTES);
    let signature: &[u8] = match logo.format() {
        LogoFormat::Png => b"\x89PNG\r\n\x1a\n",
        LogoFormat::Webp => b"RIFF",
    };
    assert!(bytes.starts_with(signature), "{bytes:02x?}");
    // Data after the end could make the file a page as well.
    assert!(Logo::parse([bytes, b"<script>"].concat()).is_err(), "{bytes:02x?}");
}
