//! The member of an object that has a key, found without a look at the others.
//!
//! The keys of an object lie in front of all of its values, one right behind the other, sorted by length and then by bytes
//! (jsonb_util.c, lengthCompareJsonbString).

use super::jsonb::Jsonb;
use super::{Container, Item};
use std::cmp::Ordering;

impl<'a> Jsonb<'a> {
    /// The member of an object with this key (jsonb_util.c, getKeyJsonValueFromContainer).
    pub fn get(self, key: &str) -> Option<Item<'a, Self>> {
        let count = self.member_count();
        let base = 4 + 8 * count;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let start = self.start_of(middle)?;
            let (_, end) = self.entry(middle, start)?;
            let found = self.bytes().get(base + start..base + end)?;
            match found.len().cmp(&key.len()).then_with(|| found.cmp(key.as_bytes())) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => {
                    let start = self.start_of(count + middle)?;
                    let (entry, end) = self.entry(count + middle, start)?;
                    return self.value(entry, base, start, end);
                }
            }
        }
        None
    }

    /// The bytes of all keys of an object.
    pub(super) fn keys(self) -> &'a [u8] {
        let count = self.member_count();
        let base = 4 + 8 * count;
        let keys = self.start_of(count).and_then(|end| self.bytes().get(base..base + end));
        keys.unwrap_or_default()
    }
}
