//! Identifiers. A name gets into SQL through [`Name::quoted`] or [`Name::table`] and in no other
//! way.

use crate::error::{Error, Result};

/// The longest identifier that PostgreSQL keeps, in bytes (NAMEDATALEN - 1). It would cut a longer
/// one without an error, and two names could become the same.
pub const MAX_NAME_BYTES: usize = 63;

/// The name of a store and of its table in schema `sessions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Takes any text that PostgreSQL can keep as an identifier.
    pub fn new(text: &str) -> Result<Name> {
        if text.is_empty() {
            return Err(Error::NameEmpty);
        }
        if text.contains('\0') {
            return Err(Error::NameNul);
        }
        if text.len() > MAX_NAME_BYTES {
            return Err(Error::NameTooLong { bytes: text.len(), max: MAX_NAME_BYTES });
        }
        Ok(Name(text.to_string()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as an SQL identifier. It is always in quotes, so keywords and case folding do not
    /// matter.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }

    /// The name as an SQL relation in the stores' schema.
    pub fn table(&self) -> String {
        format!("sessions.{}", self.quoted())
    }

    /// A number for the name. Other names may have the same number.
    pub fn hash(&self) -> u32 {
        fnv1a(self.0.as_bytes())
    }

    /// The name of a partition of a sharded store: `name/number`.
    pub fn shard(&self, number: i32) -> Name {
        self.with_tail(&number.to_string())
    }

    /// The name of the table for the sessions of a store that change their identity.
    pub fn moved(&self) -> Name {
        self.with_tail("moved")
    }

    /// `name/tail`. If that is too long, the name is cut, and a hash of the whole name is added so
    /// that two long names with the same beginning stay different.
    fn with_tail(&self, tail: &str) -> Name {
        let whole = format!("{}/{tail}", self.0);
        if whole.len() <= MAX_NAME_BYTES {
            return Name(whole);
        }
        let tail = format!("~{:08x}/{tail}", self.hash());
        let room = MAX_NAME_BYTES - tail.len();
        let head = (0..=room).rev().find_map(|end| self.0.get(..end)).unwrap_or_default();
        Name(format!("{head}{tail}"))
    }
}

/// FNV-1a with 32 bits. It must never change, because the names of existing tables depend on it.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_whatever_comes() {
        let quoted = |text| Name::new(text).unwrap().table();
        assert_eq!(quoted("stash"), r#"sessions."stash""#);
        assert_eq!(quoted("User"), r#"sessions."User""#);
        assert_eq!(quoted(r#"a"b.c; --"#), r#"sessions."a""b.c; --""#);
    }

    #[test]
    fn refuses_what_postgresql_cannot_keep() {
        assert!(matches!(Name::new(""), Err(Error::NameEmpty)));
        assert!(matches!(Name::new("a\0b"), Err(Error::NameNul)));
        assert!(Name::new(&"x".repeat(63)).is_ok());
        assert!(matches!(Name::new(&"é".repeat(32)), Err(Error::NameTooLong { bytes: 64, .. })));
    }

    #[test]
    fn shards_of_long_names_fit_and_differ() {
        assert_eq!(Name::new("stash").unwrap().shard(7).as_str(), "stash/7");
        let long = |last: &str| Name::new(&format!("{}{last}", "é".repeat(31))).unwrap();
        let (a, b) = (long("a").shard(1023), long("b").shard(1023));
        assert!(a.as_str().len() <= MAX_NAME_BYTES && a.as_str().ends_with("/1023"));
        assert_ne!(a, b);
    }
}
