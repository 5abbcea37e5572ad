//! Problems of settings, as values.

use crate::parameters::printable;
use std::borrow::Cow;
use std::fmt;

/// A rule that the value of a field breaks. `Display` writes `FIELD: RULE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    field: Cow<'static, str>,
    value: Option<String>,
    rule: Cow<'static, str>,
}

impl Problem {
    /// Returns a problem. `rule` says what the field must be.
    pub fn new(field: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), value: None, rule: rule.into() }
    }

    /// Names the value that breaks the rule, shortened to 40 printable characters.
    #[must_use]
    pub fn with_value(self, value: &str) -> Self {
        Self { value: Some(printable(value)), ..self }
    }

    /// Returns the name of the field.
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.field)?;
        if let Some(value) = &self.value {
            write!(f, "'{value}' ")?;
        }
        f.write_str(&self.rule)
    }
}
