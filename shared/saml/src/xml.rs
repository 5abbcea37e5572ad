//! Strict XML: no DTD and therefore no entities, no processing instructions, limited depth.

use crate::Problem;
use uppsala::{Document, NodeId, NodeKind, Parser};

/// Namespace of assertions (SAML Core §1.1).
pub(crate) const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// Namespace of signatures (XML Signature §1).
pub(crate) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// Greatest depth of elements.
const MAX_DEPTH: u32 = 32;

/// Parses a document. A reference to an entity that XML itself does not define is an error, and so is its
/// declaration.
pub(crate) fn parse(xml: &str) -> Result<Document<'_>, Problem> {
    let document = Parser::new()
        .with_forbid_dtd(true)
        .with_forbid_entities(true)
        .with_max_depth(MAX_DEPTH)
        .parse(xml)
        .map_err(|_| Problem::Xml)?;
    let mut nodes = document.descendants(document.root());
    nodes.extend(document.children_iter(document.root()));
    if nodes.iter().any(|node| matches!(document.node_kind(*node), Some(NodeKind::ProcessingInstruction(_)))) {
        return Err(Problem::Xml);
    }
    Ok(document)
}

/// An element of a document.
#[derive(Clone, Copy)]
pub(crate) struct Element<'d, 'a> {
    pub(crate) document: &'d Document<'a>,
    pub(crate) node: NodeId,
}

impl<'d, 'a> Element<'d, 'a> {
    /// Returns the root element.
    pub(crate) fn root(document: &'d Document<'a>) -> Option<Self> {
        Some(Self { document, node: document.document_element()? })
    }

    /// True if the element has this name.
    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.document.element(self.node).is_some_and(|element| {
            element.name.local_name == name && element.name.namespace_uri.as_deref() == Some(namespace)
        })
    }

    /// Returns the value of an attribute without a namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'d str> {
        let attributes = &self.document.element(self.node)?.attributes;
        let attribute = attributes.iter().find(|attribute| {
            attribute.name.local_name == name && attribute.name.namespace_uri.as_deref().is_none_or(str::is_empty)
        });
        attribute.map(|attribute| attribute.value.as_ref())
    }

    /// Returns the child elements.
    pub(crate) fn children(&self) -> Vec<Self> {
        let nodes = self.document.children_iter(self.node).filter(|node| self.document.element(*node).is_some());
        nodes.map(|node| Self { document: self.document, node }).collect()
    }

    /// Returns the child elements with this name.
    pub(crate) fn named(&self, namespace: &str, name: &str) -> Vec<Self> {
        self.children().into_iter().filter(|child| child.is(namespace, name)).collect()
    }

    /// Returns the only child element with this name; `None` if there is none or several.
    pub(crate) fn only(&self, namespace: &str, name: &str) -> Option<Self> {
        <[Self; 1]>::try_from(self.named(namespace, name)).ok().map(|[only]| only)
    }

    /// Returns the text; `None` if it contains elements.
    pub(crate) fn text(&self) -> Option<String> {
        if !self.children().is_empty() {
            return None;
        }
        Some(self.document.text_content_deep(self.node))
    }

    /// True if there is no text between its elements.
    pub(crate) fn has_only_elements(&self) -> bool {
        self.document.children_iter(self.node).all(|node| match self.document.node_kind(node) {
            Some(NodeKind::Text(text) | NodeKind::CData(text)) => text.trim().is_empty(),
            Some(NodeKind::Element(_) | NodeKind::Comment(_)) => true,
            _ => false,
        })
    }

    /// Returns the number of descendants with this name.
    pub(crate) fn count_below(&self, namespace: &str, name: &str) -> usize {
        let below = self.document.descendants(self.node).into_iter().filter(|node| *node != self.node);
        below.filter(|node| Self { document: self.document, node: *node }.is(namespace, name)).count()
    }
}
