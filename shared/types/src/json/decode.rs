//! Decoding of types from JSON.
//!
//! `serde_json` compiles its parser, and the texts of its errors, for each type that it reads. Here one instance of it reads the
//! text into a [`Tree`]; a `serde_json::Value` becomes one, too. The code of a type takes its members from there
//! (infra/decisions/worker-bundle-weight.md).

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::fmt;
use std::slice::Iter;

/// The error for JSON that is not the expected value. It has no word of the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The member that is missing, if one is.
    missing: Option<&'static str>,
}

impl DecodeError {
    const OTHER: Self = Self { missing: None };
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.missing {
            Some(member) => write!(f, "the member {member} is missing"),
            None => f.write_str("it is no JSON, or a member has another type or form, or is there twice"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::OTHER
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::OTHER
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::OTHER
    }

    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self::OTHER
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::OTHER
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::OTHER
    }

    fn missing_field(member: &'static str) -> Self {
        Self { missing: Some(member) }
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::OTHER
    }
}

/// Decodes a value from JSON. Members that the type does not have are ignored. An object is never written as a list of its
/// values. Errors: the text is no JSON, a member is missing or has another form, or a member of the type is there twice.
pub fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<T, DecodeError> {
    let tree: Tree<'_> = serde_json::from_slice(json).map_err(|_| DecodeError::OTHER)?;
    T::deserialize(Decoder(&tree))
}

/// Converts a value, if it has the right form.
pub fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(Decoder(&Tree::from(value))).ok()
}

/// Reads JSON as a value. Of a member that is there twice the last one counts. The Workers decode JSON in this one way, because a second one would
/// make each of them heavier. Errors: the place where the text stops being JSON.
pub fn value(json: &[u8]) -> Result<Value, NotJson> {
    let tree: Result<Tree<'_>, _> = serde_json::from_slice(json);
    match tree {
        Ok(tree) => Ok(tree.into_value(false).unwrap_or_default()),
        Err(error) => Err(NotJson { line: error.line(), column: error.column() }),
    }
}

/// The place where a text stops being JSON, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Reads JSON as a value. Errors: the text is no JSON, or an object of it has a member twice.
pub fn unambiguous(json: &[u8]) -> Result<Value, DecodeError> {
    let tree: Tree<'_> = serde_json::from_slice(json).map_err(|_| DecodeError::OTHER)?;
    tree.into_value(true).ok_or(DecodeError::OTHER)
}

/// A JSON value, whose texts stay where they are. Unlike `serde_json::Value`, it keeps members that are there twice, for the type to
/// reject.
enum Tree<'j> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'j, str>),
    List(Vec<Self>),
    Object(Vec<(Text<'j>, Self)>),
}

impl Tree<'_> {
    /// Returns the value; `None` if an object has a member twice and members must be unique.
    fn into_value(self, is_unique: bool) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::List(items) => {
                Value::Array(items.into_iter().map(|item| item.into_value(is_unique)).collect::<Option<_>>()?)
            }
            Self::Object(members) => {
                let mut object = Map::new();
                for (Text(name), value) in members {
                    if object.insert(name.into_owned(), value.into_value(is_unique)?).is_some() && is_unique {
                        return None;
                    }
                }
                Value::Object(object)
            }
        })
    }
}

impl<'j> Deserialize<'j> for Tree<'j> {
    fn deserialize<D: Deserializer<'j>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

impl<'j> From<&'j Value> for Tree<'j> {
    fn from(value: &'j Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (Text(Cow::Borrowed(name)), value.into())).collect())
            }
        }
    }
}

struct TreeVisitor;

impl<'j> Visitor<'j> for TreeVisitor {
    type Value = Tree<'j>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree<'j>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree<'j>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree<'j>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree<'j>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree<'j>, E> {
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'j str) -> Result<Tree<'j>, E> {
        Ok(Tree::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree<'j>, E> {
        Ok(Tree::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'j>>(self, mut items: A) -> Result<Tree<'j>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'j>>(self, mut members: A) -> Result<Tree<'j>, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Tree::Object(object))
    }
}

/// The name of a member, as it is in the JSON.
struct Text<'j>(Cow<'j, str>);

impl<'j> Deserialize<'j> for Text<'j> {
    fn deserialize<D: Deserializer<'j>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(TreeVisitor)? {
            Tree::Text(text) => Ok(Self(text)),
            _ => Err(de::Error::custom("")),
        }
    }
}

/// A value of the tree, as types read it.
#[derive(Clone, Copy)]
struct Decoder<'de>(&'de Tree<'de>);

impl<'de> Decoder<'de> {
    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Tree::Number(number) = self.0 else { return Err(DecodeError::OTHER) };
        match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), _, _) => visitor.visit_u64(number),
            (None, Some(number), _) => visitor.visit_i64(number),
            (None, None, Some(number)) => visitor.visit_f64(number),
            (None, None, None) => Err(DecodeError::OTHER),
        }
    }
}

macro_rules! read_numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.number(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Decoder<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(*value),
            Tree::Number(_) => self.number(visitor),
            Tree::Text(text) => visitor.visit_str(text),
            Tree::List(_) => self.deserialize_seq(visitor),
            Tree::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Tree::Bool(value) = self.0 { visitor.visit_bool(*value) } else { Err(DecodeError::OTHER) }
    }

    read_numbers! { deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_i64 deserialize_f64 }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Tree::Text(text) = self.0 { visitor.visit_str(text) } else { Err(DecodeError::OTHER) }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Tree::Null = self.0 { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Tree::List(items) = self.0 { visitor.visit_seq(Items(items.iter())) } else { Err(DecodeError::OTHER) }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Tree::Object(members) = self.0 else { return Err(DecodeError::OTHER) };
        visitor.visit_map(Members { members: members.iter(), value: &Tree::Null })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.0 {
            Tree::Text(name) => visitor.visit_enum(Variant { name, value: None }),
            Tree::Object(members) => match members.as_slice() {
                [(Text(name), value)] => visitor.visit_enum(Variant { name, value: Some(value) }),
                _ => Err(DecodeError::OTHER),
            },
            _ => Err(DecodeError::OTHER),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i8 i16 i32 i128 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier }
}

/// The items of a list.
struct Items<'de>(Iter<'de, Tree<'de>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        self.0.next().map(|item| seed.deserialize(Decoder(item))).transpose()
    }
}

/// The members of an object, and the value of the one whose name was read last.
struct Members<'de> {
    members: Iter<'de, (Text<'de>, Tree<'de>)>,
    value: &'de Tree<'de>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        let Some((Text(name), value)) = self.members.next() else { return Ok(None) };
        self.value = value;
        seed.deserialize(Name(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        seed.deserialize(Decoder(self.value))
    }
}

/// The name of a member or of a variant.
#[derive(Clone, Copy)]
struct Name<'de>(&'de str);

impl<'de> Deserializer<'de> for Name<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(Variant { name: self.0, value: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// A variant of an enum: `"NAME"`, or `{"NAME": VALUE}`.
struct Variant<'de> {
    name: &'de str,
    value: Option<&'de Tree<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), DecodeError> {
        Ok((seed.deserialize(Name(self.name))?, self))
    }
}

impl<'de> Variant<'de> {
    fn decoder(&self) -> Result<Decoder<'de>, DecodeError> {
        self.value.map(Decoder).ok_or(DecodeError::OTHER)
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        if self.value.is_none() { Ok(()) } else { Err(DecodeError::OTHER) }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, DecodeError> {
        seed.deserialize(self.decoder()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.decoder()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, DecodeError> {
        self.decoder()?.deserialize_map(visitor)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde::Serialize;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Example {
        name: String,
        #[serde(default)]
        number: Option<u64>,
        #[serde(default)]
        below_zero: i64,
        #[serde(default)]
        list: Vec<Kind>,
        #[serde(default)]
        map: BTreeMap<Kind, bool>,
        #[serde(default)]
        any: Map<String, Value>,
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Two(u8),
        Three { item: bool },
    }

    fn example(json: &str) -> Result<Example, DecodeError> {
        decode(json.as_bytes())
    }

    #[test]
    fn what_serde_json_writes_is_read() {
        let example = Example {
            name: "a\"\u{e9}\n".to_owned(),
            number: Some(u64::MAX),
            below_zero: i64::MIN,
            list: vec![Kind::One, Kind::Two(2), Kind::Three { item: true }],
            map: BTreeMap::from([(Kind::One, true)]),
            any: serde_json::from_str(r#"{"a":[null,1.5,-1,"b",{"c":false}]}"#).unwrap(),
        };
        assert_eq!(typed(&serde_json::to_value(&example).unwrap()).as_ref(), Some(&example));
        assert_eq!(decode(&serde_json::to_vec(&example).unwrap()), Ok(example));
        assert_eq!(decode::<Option<bool>>(b"null"), Ok(None));
        assert_eq!(decode::<f64>(b" 1 "), Ok(1.0));
    }

    /// A record of a later version has more members.
    #[test]
    fn unknown_members_are_ignored() {
        let read = example(r#"{"later":{"a":[1]},"name":"a","number":null}"#).unwrap();
        assert_eq!((read.name.as_str(), read.number), ("a", None));
    }

    #[test]
    fn what_is_not_the_value_is_an_error() {
        for json in [
            "",
            "{",
            r#"{"name":"a"} x"#,
            r#"["a"]"#,
            r#"{"name":"a","name":"a"}"#,
            r#"{"name":1}"#,
            r#"{"name":null}"#,
            r#"{"name":"a","number":-1}"#,
            r#"{"name":"a","number":1.5}"#,
            r#"{"name":"a","number":"1"}"#,
            r#"{"name":"a","list":"one"}"#,
            r#"{"name":"a","list":["four"]}"#,
            r#"{"name":"a","list":["two"]}"#,
            r#"{"name":"a","list":[{"one":null}]}"#,
            r#"{"name":"a","list":[{"two":256}]}"#,
            r#"{"name":"a","list":[{"two":1,"one":1}]}"#,
            r#"{"name":"a","list":[{"three":[true]}]}"#,
        ] {
            assert!(example(json).is_err(), "{json}");
        }
        assert_eq!(example(r#"{"number":1}"#).unwrap_err().to_string(), "the member name is missing");
        let deep = "[".repeat(100_000);
        assert!(example(&format!(r#"{{"name":"a","any":{{"a":{deep}"#)).is_err());
    }

    #[test]
    fn a_value_is_that_of_serde_json() {
        for json in ["null", r#"{"a":[1,-2,1.5e300,18446744073709551615],"b":{"c":"\\u00e9"},"a":true}"#, "[]", " 1 "] {
            assert_eq!(value(json.as_bytes()).unwrap(), serde_json::from_str::<Value>(json).unwrap(), "{json}");
        }
        assert_eq!(value(b"{\n  \"a\" 1}"), Err(NotJson { line: 2, column: 7 }));
        assert!(value("[".repeat(200).as_bytes()).is_err(), "deep nesting");
    }

    #[test]
    fn an_unambiguous_value_has_no_member_twice() {
        let json = r#"[{"a":{"b":[1,null,true,"x",1.5]}},{"a":1}]"#;
        assert_eq!(unambiguous(json.as_bytes()).unwrap().to_string(), json);
        for json in [r#"{"a":1,"a":1}"#, r#"[{"a":{"b":1,"\u0062":2}}]"#, "[1", "1e999", "{} {}"] {
            assert!(unambiguous(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn errors_repeat_nothing_of_the_json() {
        let text = decode::<Kind>(br#""s3cret""#).unwrap_err().to_string();
        assert!(!text.contains("s3cret"), "{text}");
    }
}
