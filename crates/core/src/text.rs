//! How values are written as text: in JSON, and in what people read.

/// Defines an enum each of whose values has one word. `Display`, serde and the JSON Schema write that word; reading any
/// other word is an error.
macro_rules! words {
    ($(#[$about:meta])* $vis:vis enum $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[allow(missing_docs, reason = "a variant means what its word says")]
        $vis enum $name {
            $($(#[$of])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value, in the order of the definition.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word in JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.name()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

/// Serde and JSON Schema of a type whose `Display` writes what its `FromStr` reads: a string.
macro_rules! serde_as_text {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    };
}

/// For tests: that each value is written as its word, read back from it, and that no other spelling is read.
#[cfg(test)]
macro_rules! assert_words {
    ($name:ty, $words:expr) => {
        let words: &[&str] = &$words;
        assert_eq!(<$name>::ALL.iter().map(|value| value.name()).collect::<Vec<_>>(), words);
        for value in <$name>::ALL {
            let json = serde_json::to_string(value).unwrap();
            assert_eq!(json, format!("\"{value}\""));
            assert_eq!(serde_json::from_str::<$name>(&json).unwrap(), *value);
            assert!(serde_json::from_str::<$name>(&json.to_uppercase()).is_err());
        }
    };
}

#[cfg(test)]
pub(crate) use assert_words;
pub(crate) use {serde_as_text, words};
