//! The logo of a client, which the operator uploads: a small picture that this server delivers itself.
//!
//! A URI in the client's metadata (`logo_uri`) is not shown: the picture behind it could change, and it would tell another server
//! who signs in.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use types::ClientId;

/// Length of the name in hexadecimal digits: 128 bits.
const NAME_LENGTH: usize = 32;

/// The name of a logo, in its URL: the digest of the picture and of its client. Another picture has another name, so that browsers
/// may keep a picture for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogoName(String);

impl LogoName {
    /// Returns the name in a path; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = text.len() == NAME_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_name.then(|| Self(text.to_owned()))
    }

    /// Returns the name as it stands in a path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The format of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogoFormat {
    /// PNG (ISO/IEC 15948).
    Png,
    /// WebP (RFC 9649).
    Webp,
}

impl LogoFormat {
    /// Returns the media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

/// A picture whose format was read from its content.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    format: LogoFormat,
    bytes: Vec<u8>,
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logo").field("format", &self.format).field("length", &self.bytes.len()).finish()
    }
}

impl Logo {
    /// The longest file, in bytes.
    pub const MAX_BYTES: usize = 20 * 1024;
    /// The largest width and height, in pixels.
    pub const MAX_PIXELS: u32 = 1024;

    /// Reads a picture: a whole PNG or WebP file without animation and without data after its end. Errors: the rule that it breaks.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, &'static str> {
        if bytes.len() > Self::MAX_BYTES {
            return Err("the picture is larger than 20 KB");
        }
        let (format, size) = if bytes.starts_with(PNG) {
            (LogoFormat::Png, png(&bytes).ok_or("the picture is not a whole PNG file without animation")?)
        } else if bytes.starts_with(b"RIFF") {
            (LogoFormat::Webp, webp(&bytes).ok_or("the picture is not a whole WebP file without animation")?)
        } else {
            return Err("the picture is neither PNG nor WebP");
        };
        let fits = |pixels| (1..=Self::MAX_PIXELS).contains(&pixels);
        if !fits(size.0) || !fits(size.1) {
            return Err("the picture is wider or higher than 1024 pixels");
        }
        Ok(Self { format, bytes })
    }

    /// Returns the format.
    pub const fn format(&self) -> LogoFormat {
        self.format
    }

    /// Returns the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the name of this picture as the logo of a client.
    pub fn name(&self, client_id: &ClientId) -> LogoName {
        let mut digest = Sha256::new();
        digest.update(client_id.as_str());
        digest.update([0]);
        digest.update(&self.bytes);
        let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        LogoName(hex.chars().take(NAME_LENGTH).collect())
    }
}

/// The signature of a PNG file (ISO/IEC 15948 §5.2).
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Returns width and height of a PNG file: chunks from IHDR to IEND (ISO/IEC 15948 §5.3, §5.6), none of them of an animation.
fn png(file: &[u8]) -> Option<(u32, u32)> {
    let mut rest = file.strip_prefix(PNG)?;
    let mut size = None;
    let mut has_image = false;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let (data, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let (_checksum, after) = after.split_first_chunk::<4>()?;
        match (kind, size) {
            (b"IHDR", None) => {
                let (width, more) = data.split_first_chunk::<4>()?;
                let (height, more) = more.split_first_chunk::<4>()?;
                (more.len() == 5).then_some(())?;
                size = Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)));
            }
            (_, None) | (b"IHDR" | b"acTL", _) => return None,
            (b"IEND", size) => return size.filter(|_| has_image && after.is_empty()),
            (b"IDAT", _) => has_image = true,
            _ => {}
        }
        rest = after;
    }
}

/// Returns width and height of a WebP file (RFC 9649 §2.5 to §2.7): one image, lossy, lossless or extended.
fn webp(file: &[u8]) -> Option<(u32, u32)> {
    let (length, rest) = file.strip_prefix(b"RIFF")?.split_first_chunk::<4>()?;
    let is_whole = usize::try_from(u32::from_le_bytes(*length)).ok()? == rest.len();
    let mut rest = rest.strip_prefix(b"WEBP").filter(|_| is_whole)?;
    let mut size = None;
    let mut has_image = false;
    while !rest.is_empty() {
        let (kind, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (data, after) = after.split_at_checked(length)?;
        match kind {
            b"VP8X" if size.is_none() => size = Some(webp_extended(data)?),
            b"VP8 " => {
                size = size.or(Some(webp_lossy(data)?));
                has_image = true;
            }
            b"VP8L" => {
                size = size.or(Some(webp_lossless(data)?));
                has_image = true;
            }
            b"ANIM" | b"ANMF" | b"VP8X" => return None,
            _ if size.is_none() => return None,
            _ => {}
        }
        // A chunk of odd length is padded.
        rest = if length % 2 == 1 { after.strip_prefix(&[0])? } else { after };
    }
    size.filter(|_| has_image)
}

/// Returns the size in a `VP8X` chunk without the flag of an animation (RFC 9649 §2.7).
fn webp_extended(data: &[u8]) -> Option<(u32, u32)> {
    let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = data else { return None };
    let pixels = |low, middle, high| u32::from_le_bytes([low, middle, high, 0]).saturating_add(1);
    (flags & 0b10 == 0).then(|| (pixels(*w0, *w1, *w2), pixels(*h0, *h1, *h2)))
}

/// Returns the size in the header of a key frame (RFC 6386 §9.1).
fn webp_lossy(data: &[u8]) -> Option<(u32, u32)> {
    let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = data else { return None };
    let pixels = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some((pixels(*w0, *w1), pixels(*h0, *h1)))
}

/// Returns the size in the header of a lossless image (RFC 9649 §3.4).
fn webp_lossless(data: &[u8]) -> Option<(u32, u32)> {
    let [0x2f, a, b, c, d, ..] = data else { return None };
    let bits = u32::from_le_bytes([*a, *b, *c, *d]);
    Some(((bits & 0x3fff).saturating_add(1), ((bits >> 14) & 0x3fff).saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length, kind, data, &[0; 4]].concat()
    }

    fn header(width: u32, height: u32) -> Vec<u8> {
        chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat())
    }

    fn png_of(chunks: &[Vec<u8>]) -> Vec<u8> {
        [PNG, &chunks.concat()].concat()
    }

    fn webp_of(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut body = b"WEBP".to_vec();
        for (kind, data) in chunks {
            body.extend_from_slice(*kind);
            body.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
            body.extend_from_slice(data);
            body.extend(std::iter::repeat_n(0, data.len() % 2));
        }
        [b"RIFF", &u32::try_from(body.len()).unwrap().to_le_bytes()[..], &body].concat()
    }

    fn format(file: Vec<u8>) -> Result<LogoFormat, &'static str> {
        Logo::parse(file).map(|logo| logo.format())
    }

    #[test]
    fn whole_pictures_are_accepted() {
        let whole = [header(64, 64), chunk(b"tEXt", b"a"), chunk(b"IDAT", &[1, 2, 3]), chunk(b"IEND", b"")];
        assert_eq!(format(png_of(&whole)), Ok(LogoFormat::Png));
        let lossy = [0, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 64, 0, 7];
        let lossless = [0x2f, 63, 0xc0, 0x0f, 0, 1];
        let extended = [0b1_0000, 0, 0, 0, 63, 0, 0, 63, 0, 0];
        assert_eq!(webp(&webp_of(&[(b"VP8 ", &lossy)])), Some((64, 64)));
        assert_eq!(webp(&webp_of(&[(b"VP8L", &lossless)])), Some((64, 64)));
        assert_eq!(webp(&webp_of(&[(b"VP8X", &extended), (b"ALPH", &[1]), (b"VP8 ", &lossy)])), Some((64, 64)));
        assert_eq!(format(webp_of(&[(b"VP8L", &lossless)])), Ok(LogoFormat::Webp));
    }

    #[test]
    fn other_files_are_rejected() {
        let (image, end) = (chunk(b"IDAT", &[1]), chunk(b"IEND", b""));
        let trailing = [png_of(&[header(1, 1), image.clone(), end.clone()]), b"<script>".to_vec()].concat();
        let lossless: &[u8] = &[0x2f, 63, 0xc0, 0x0f, 0, 1];
        let animated: &[u8] = &[0b10, 0, 0, 0, 63, 0, 0, 63, 0, 0];
        let mut short = webp_of(&[(b"VP8L", lossless)]);
        short.pop();
        for file in [
            Vec::new(),
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            b"GIF89a".to_vec(),
            b"\xff\xd8\xff\xe0".to_vec(),
            PNG.to_vec(),
            trailing,
            png_of(&[header(1, 1), end.clone()]),
            png_of(&[header(1, 1), image.clone()]),
            png_of(&[image.clone(), header(1, 1), end.clone()]),
            png_of(&[header(1, 1), header(1, 1), image.clone(), end.clone()]),
            png_of(&[header(1, 1), chunk(b"acTL", &[0; 8]), image.clone(), end.clone()]),
            png_of(&[header(0, 1), image.clone(), end.clone()]),
            png_of(&[header(1, 1025), image.clone(), end.clone()]),
            webp_of(&[]),
            webp_of(&[(b"VP8X", animated), (b"VP8L", lossless)]),
            webp_of(&[(b"ALPH", &[1]), (b"VP8L", lossless)]),
            webp_of(&[(b"VP8L", lossless), (b"ANMF", &[1])]),
            short,
            [webp_of(&[(b"VP8L", lossless)]), vec![0]].concat(),
        ] {
            assert!(Logo::parse(file.clone()).is_err(), "{file:?}");
        }
        let large = chunk(b"IDAT", &vec![0; Logo::MAX_BYTES]);
        assert!(Logo::parse(png_of(&[header(1, 1), large, end])).unwrap_err().contains("20 KB"));
    }

    #[test]
    fn a_name_belongs_to_one_picture_of_one_client() {
        let picture =
            |byte| Logo::parse(png_of(&[header(1, 1), chunk(b"IDAT", &[byte]), chunk(b"IEND", b"")])).unwrap();
        let client = |id| ClientId::parse(id).unwrap();
        let name = picture(1).name(&client("a"));
        assert_eq!(LogoName::parse(name.as_str()), Some(name.clone()));
        assert_ne!(picture(2).name(&client("a")), name);
        assert_ne!(picture(1).name(&client("b")), name);
        for text in ["", "A".repeat(32).as_str(), "0".repeat(31).as_str(), "../../etc/passwd/00000000000000000"] {
            assert_eq!(LogoName::parse(text), None, "{text}");
        }
    }
}
