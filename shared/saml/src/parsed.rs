//! A parsed assertion, and the only accepted shape of a signature on it (SAML Core §5.4).

use crate::xml::{self, DSIG, Element, SAML};
use crate::{Problem, VerifiedAssertion};
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_xml::NodeSet;
use jose::Verifier;
use sha2::{Digest, Sha256};
use types::Algorithm;

/// Greatest length of an assertion in bytes of XML.
const MAX_LENGTH: usize = 32 * 1024;
/// Greatest number of prefixes in `InclusiveNamespaces`: each costs work for each element.
const MAX_PREFIXES: usize = 8;

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// Accepted signature algorithms. SHA-1 and HMAC cannot be expressed.
const METHODS: [(&str, Algorithm); 3] = [
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", Algorithm::RS256),
    ("http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", Algorithm::PS256),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", Algorithm::ES256),
];

/// A well-formed assertion that matches the digest in its signature. [`Self::verify`] checks that a trusted key made
/// the signature.
pub struct ParsedAssertion {
    /// The digested content in canonical form.
    content: String,
    /// The signed `SignedInfo` in canonical form.
    signed_info: Vec<u8>,
    signature: Vec<u8>,
    algorithm: Algorithm,
}

impl ParsedAssertion {
    /// Decodes the `assertion` parameter (RFC 7522 §2.1): base64url, padded or not.
    pub fn parse(parameter: &str) -> Result<Self, Problem> {
        const ENGINE: GeneralPurpose = GeneralPurpose::new(
            &alphabet::URL_SAFE,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        // Four characters per three bytes, and the padding.
        if parameter.len() > MAX_LENGTH / 3 * 4 + 8 {
            return Err(Problem::Encoding);
        }
        let bytes = ENGINE.decode(parameter).map_err(|_| Problem::Encoding)?;
        Self::parse_xml(&String::from_utf8(bytes).map_err(|_| Problem::Encoding)?)
    }

    /// Parses an assertion.
    pub fn parse_xml(xml: &str) -> Result<Self, Problem> {
        if xml.len() > MAX_LENGTH {
            return Err(Problem::Encoding);
        }
        let document = xml::parse(xml)?;
        let root = Element::root(&document).filter(|root| root.is(SAML, "Assertion")).ok_or(Problem::NotAnAssertion)?;
        let id = root.attribute("ID").filter(|id| !id.is_empty()).ok_or(Problem::NotAnAssertion)?;
        let signature = root.only(DSIG, "Signature").ok_or(Problem::Signature)?;
        if root.count_below(DSIG, "Signature") != 1 {
            return Err(Problem::Signature);
        }
        let parts = signature.children();
        let (signed_info, value) = match parts.as_slice() {
            [info, value] => (info, value),
            [info, value, keys] if keys.is(DSIG, "KeyInfo") => (info, value),
            _ => return Err(Problem::Signature),
        };
        if !signed_info.is(DSIG, "SignedInfo") || !value.is(DSIG, "SignatureValue") {
            return Err(Problem::Signature);
        }

        let selected = NodeSet::tree_without_comments(signed_info.node, &document);
        let signed_info = canonical(&document, &selected, &[])?;
        let says = SignedInfo::read(&signed_info, id)?;

        let mut selected = NodeSet::tree_without_comments(root.node, &document);
        document.descendants(signature.node).into_iter().for_each(|node| selected.remove_id(node));
        selected.remove_id(signature.node);
        let content = canonical(&document, &selected, &says.prefixes)?;
        if !jose::constant_time_eq(&Sha256::digest(content.as_bytes()), &says.digest) {
            return Err(Problem::Digest);
        }
        let value = decode(&value.text().ok_or(Problem::Signature)?).ok_or(Problem::Signature)?;
        Ok(Self { content, signed_info: signed_info.into_bytes(), signature: value, algorithm: says.algorithm })
    }

    /// Returns the issuer that it names, to select a key. Do not trust it.
    pub fn issuer(&self) -> Option<String> {
        let document = xml::parse(&self.content).ok()?;
        let issuer = Element::root(&document)?.only(SAML, "Issuer")?.text()?;
        Some(issuer.trim().to_owned())
    }

    /// Returns the signature algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the signed content, if this key made the signature. The key must be for [`Self::algorithm`].
    pub async fn verify(self, key: &dyn Verifier) -> Result<VerifiedAssertion, Self> {
        if key.verify(&self.signed_info, &self.signature).await {
            Ok(VerifiedAssertion::new(self.content))
        } else {
            Err(self)
        }
    }
}

/// The parsed `SignedInfo`.
struct SignedInfo {
    algorithm: Algorithm,
    prefixes: Vec<String>,
    digest: Vec<u8>,
}

impl SignedInfo {
    /// Parses the canonical form, which is the signed one. The only reference is to the assertion `id`, with the
    /// enveloped-signature transform and exclusive canonicalization (SAML Core §5.4.2 to §5.4.4).
    fn read(canonical: &str, id: &str) -> Result<Self, Problem> {
        let document = xml::parse(canonical).map_err(|_| Problem::SignedInfo)?;
        Element::root(&document).and_then(|root| Self::read_element(&root, id)).ok_or(Problem::SignedInfo)
    }

    fn read_element(root: &Element<'_, '_>, id: &str) -> Option<Self> {
        let [method, signing, reference] = parts(root, ["CanonicalizationMethod", "SignatureMethod", "Reference"])?;
        let is_empty = |element: &Element<'_, '_>| element.text().is_some_and(|text| text.trim().is_empty());
        if method.attribute("Algorithm") != Some(EXCLUSIVE) || !is_empty(&method) || !is_empty(&signing) {
            return None;
        }
        let name = signing.attribute("Algorithm")?;
        let (_, algorithm) = METHODS.into_iter().find(|(uri, _)| *uri == name)?;
        if reference.attribute("URI")?.strip_prefix('#') != Some(id) {
            return None;
        }
        let [transforms, digest_method, digest] = parts(&reference, ["Transforms", "DigestMethod", "DigestValue"])?;
        if digest_method.attribute("Algorithm") != Some(SHA256) || !is_empty(&digest_method) {
            return None;
        }
        let [enveloped, exclusive] = parts(&transforms, ["Transform", "Transform"])?;
        if enveloped.attribute("Algorithm") != Some(ENVELOPED)
            || !is_empty(&enveloped)
            || exclusive.attribute("Algorithm") != Some(EXCLUSIVE)
        {
            return None;
        }
        Some(Self { algorithm, prefixes: prefixes(&exclusive)?, digest: decode(&digest.text()?)? })
    }
}

/// Returns the children of an element, which must be exactly these elements of XML Signature in this order.
fn parts<'d, 'a, const N: usize>(element: &Element<'d, 'a>, names: [&str; N]) -> Option<[Element<'d, 'a>; N]> {
    let children = <[Element<'d, 'a>; N]>::try_from(element.children()).ok()?;
    let fit = element.has_only_elements() && children.iter().zip(names).all(|(child, name)| child.is(DSIG, name));
    fit.then_some(children)
}

/// Returns the `PrefixList` of exclusive canonicalization (Exclusive XML Canonicalization §4).
fn prefixes(transform: &Element<'_, '_>) -> Option<Vec<String>> {
    if !transform.has_only_elements() {
        return None;
    }
    match transform.children().as_slice() {
        [] => Some(Vec::new()),
        [list] if list.is(EXCLUSIVE, "InclusiveNamespaces") => {
            let prefixes: Vec<String> =
                list.attribute("PrefixList")?.split_ascii_whitespace().map(str::to_owned).collect();
            (prefixes.len() <= MAX_PREFIXES).then_some(prefixes)
        }
        _ => None,
    }
}

fn canonical(document: &uppsala::Document<'_>, nodes: &NodeSet, prefixes: &[String]) -> Result<String, Problem> {
    let bytes =
        canonicalize_doc(document, C14nMode::Exclusive, Some(nodes), prefixes).map_err(|_| Problem::SignedInfo)?;
    String::from_utf8(bytes).map_err(|_| Problem::SignedInfo)
}

/// Decodes base64 with line breaks, as XML has it.
fn decode(text: &str) -> Option<Vec<u8>> {
    let joined: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(joined).ok()
}
