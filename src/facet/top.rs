//! The first values in some order, of any number of values, in memory for those alone.

use crate::error::Result;
use crate::memory;
use std::collections::BinaryHeap;

/// Keeps the least items that it has seen.
pub struct Top<T> {
    /// How many are kept; none for all of them.
    most: Option<usize>,
    /// The greatest of those kept is on top.
    heap: BinaryHeap<T>,
}

impl<T: Ord> Top<T> {
    /// Keeps so many items; none for all.
    pub fn new(most: Option<usize>) -> Top<T> {
        Top { most, heap: BinaryHeap::new() }
    }

    /// Whether an item would be kept now.
    pub fn wants(&self, is_before: impl FnOnce(&T) -> bool) -> bool {
        match self.most {
            Some(most) if self.heap.len() >= most => self.heap.peek().is_some_and(is_before),
            _ => true,
        }
    }

    /// Takes an item.
    pub fn push(&mut self, item: T) -> Result<()> {
        if self.most == Some(0) {
            return Ok(());
        }
        if self.most.is_some_and(|most| self.heap.len() >= most) {
            if let Some(mut greatest) = self.heap.peek_mut()
                && item < *greatest
            {
                *greatest = item;
            }
            return Ok(());
        }
        if self.heap.capacity() == self.heap.len() {
            let bytes = 2 * (self.heap.len() + 1) * size_of::<T>();
            memory::try_reserve(bytes, || self.heap.try_reserve(1))?;
        }
        self.heap.push(item);
        Ok(())
    }

    /// The items that were kept, in order.
    pub fn into_sorted(self) -> Vec<T> {
        self.heap.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_the_least(items in proptest::collection::vec(0u8..50, 0..60), most in 0usize..9) {
            for most in [Some(most), None] {
                let mut top = Top::new(most);
                for item in &items {
                    if top.wants(|greatest| item < greatest) {
                        top.push(*item).unwrap();
                    }
                }
                let mut expected = items.clone();
                expected.sort();
                expected.truncate(most.unwrap_or(usize::MAX));
                prop_assert_eq!(top.into_sorted(), expected);
            }
        }
    }
}
