//! The names of the settings, for strict parsing at the API edge. Stored clients may have members of later versions.

use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

/// Returns the names of the members of a struct that derives `Deserialize`.
pub(super) fn names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // Reads nothing and always fails: the struct only announces its members.
    let _ = T::deserialize(Names(&mut names));
    names
}

struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("no value"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use crate::{Client, TokenExchangePolicy};

    #[test]
    fn every_member_has_its_name() {
        let names = super::names::<Client>();
        assert!(names.contains(&"client_id") && names.contains(&"refresh_token_idle_lifetime"), "{names:?}");
        assert_eq!(super::names::<TokenExchangePolicy>(), ["subject_clients", "audiences", "impersonation"]);
        assert!(super::names::<String>().is_empty());
    }
}
