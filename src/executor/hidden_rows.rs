//! Rows that a session does not see, as plain bits. Pieces of the table without such rows take no
//! memory.

use super::doc_id::DocIdMap;
use super::heap_page::VisibleRows;
use super::rows::{Rows, kept, words_of_page};
use crate::error::Result;

/// The words of a piece, which take 8 kB.
const PIECE: usize = 1 << 10;

/// The doc IDs of rows that are not visible, or do not exist.
#[derive(Default)]
pub struct HiddenRows {
    pieces: Vec<Option<Box<[u64; PIECE]>>>,
}

impl HiddenRows {
    /// Hides all rows of a page but the visible ones.
    pub fn put_page(&mut self, doc_ids: DocIdMap, block: u32, visible: &VisibleRows) {
        for (at, mask, visible) in words_of_page(doc_ids, block, visible) {
            if self.pieces.len() <= at / PIECE {
                self.pieces.resize_with(at / PIECE + 1, || None);
            }
            let piece = self.pieces[at / PIECE].get_or_insert_with(|| Box::new([0; PIECE]));
            let word = &mut piece[at % PIECE];
            *word = *word & !mask | mask & !visible;
        }
    }

    /// Hides no row of a page any more.
    pub fn forget_page(&mut self, doc_ids: DocIdMap, block: u32) {
        for (at, mask, _) in words_of_page(doc_ids, block, &VisibleRows::default()) {
            if let Some(Some(piece)) = self.pieces.get_mut(at / PIECE) {
                piece[at % PIECE] &= !mask;
            }
        }
    }

    fn contains(&self, row: u32) -> bool {
        let at = row as usize / 64;
        let piece = self.pieces.get(at / PIECE).and_then(Option::as_ref);
        piece.is_some_and(|piece| piece[at % PIECE] >> (row % 64) & 1 == 1)
    }

    /// Removes the hidden ones from some rows.
    pub fn remove_from(&self, rows: &mut Rows) -> Result<()> {
        match rows {
            Rows::Compressed(rows) => *rows = kept(rows, |row| !self.contains(row))?,
            Rows::Plain(rows) => {
                for (words, piece) in rows.words_mut().chunks_mut(PIECE).zip(&self.pieces) {
                    let hidden = piece.iter().flat_map(|piece| piece.iter());
                    words.iter_mut().zip(hidden).for_each(|(word, hidden)| *word &= !hidden);
                }
            }
        }
        Ok(())
    }

    /// How many bytes they take.
    pub fn size(&self) -> usize {
        let pieces = self.pieces.iter().flatten().count();
        pieces * size_of::<[u64; PIECE]>() + self.pieces.capacity() * size_of::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::bits::Bits;
    use super::*;
    use proptest::prelude::*;
    use roaring::RoaringBitmap;
    use std::collections::BTreeMap;

    proptest! {
        /// Pages that are put, put again and forgotten, far apart, in maps of each width.
        #[test]
        fn hides_what_is_not_visible(
            steps in proptest::collection::vec((0u32..12, 0u64..1 << 16, any::<bool>()), 1..30),
            width in 0usize..6,
            spread in prop_oneof![Just(1u32), Just(1_500)],
        ) {
            let mut doc_ids = DocIdMap::NARROWEST;
            (0..width).for_each(|_| doc_ids = doc_ids.wider().unwrap_or(doc_ids));
            let (mut hidden, mut expected) = (HiddenRows::default(), BTreeMap::new());
            for (page, rows, forget) in steps {
                let block = page * spread;
                if forget {
                    hidden.forget_page(doc_ids, block);
                    expected.remove(&block);
                } else {
                    hidden.put_page(doc_ids, block, &VisibleRows::of(rows));
                    expected.insert(block, rows);
                }
            }
            let is_left = |row: &u32| {
                let tid = doc_ids.tid(*row);
                let rows = expected.get(&tid.block);
                let at = u32::from(tid.offset) - 1;
                let is_set = |rows: &u64| rows.checked_shr(at).unwrap_or(0) & 1 == 1;
                rows.is_none_or(is_set)
            };
            let doc_ids_of = |page: u32| doc_ids.doc_ids(page * spread..=page * spread);
            let listed: RoaringBitmap = (0..12).flat_map(doc_ids_of).collect();
            let mut plain = Bits::default();
            listed.iter().for_each(|row| plain.insert(row));
            for mut rows in [Rows::Compressed(listed.clone()), Rows::Plain(plain)] {
                hidden.remove_from(&mut rows).unwrap();
                prop_assert!(rows.bitmap().iter().eq(listed.iter().filter(is_left)));
            }
        }
    }
}
