//! Rows that are collected in each way are the same rows.

use super::super::doc_id::ReadError;
use super::*;
use crate::index::gin::pack;
use proptest::prelude::*;

proptest! {
    #[test]
    fn collects_any_rows(
        rows in proptest::collection::vec((0u32..50, 1u16..18), 0..300),
        with_bits in any::<bool>(),
    ) {
        let doc_ids = DocIdMap::NARROWEST;
        let block_set = BlockSet::all();
        let mut collector = Collector::new(doc_ids, &block_set, 40, 1 << 20);
        if with_bits {
            collector.switch_to_bits();
        }
        let rows = rows.iter().map(|&(block, offset)| Tid { block, offset });
        rows.clone().for_each(|tid| collector.push(tid));
        match collector.finish() {
            Err(ReadError::DocIdOverflow(_)) => {
                prop_assert!(rows.clone().any(|tid| tid.block < 40 && tid.offset > 16));
            }
            found => {
                let inside = rows.filter(|tid| tid.block < 40);
                let expected: RoaringBitmap =
                    inside.filter_map(|tid| doc_ids.doc_id(tid)).collect();
                prop_assert_eq!(found.ok().map(Rows::bitmap), Some(expected));
            }
        }
    }

    /// Rows of some pages, in bits, in lists that are merged, and in one list.
    #[test]
    fn collects_rows_of_pages(
        rows in proptest::collection::vec((0u32..5_000, 1u16..17), 1..900),
        start in 0u32..3_000,
        length in 1u32..3_000,
    ) {
        let doc_ids = DocIdMap::NARROWEST;
        let block_set = BlockSet::range(start..start + length);
        let rows = rows.iter().map(|&(block, offset)| Tid { block, offset });
        let is_inside = |tid: &Tid| block_set.contains(tid.block) && tid.block < 4_000;
        let inside = rows.clone().filter(is_inside);
        let expected: RoaringBitmap = inside.filter_map(|tid| doc_ids.doc_id(tid)).collect();
        for (max_bytes, switch_at) in [(1 << 20, 7), (0, 7), (0, MAX_LISTED_WITHOUT_BITS)] {
            let mut collector = Collector::new(doc_ids, &block_set, 4_000, max_bytes);
            for (at, tid) in rows.clone().enumerate() {
                collector.take(tid);
                if at == switch_at {
                    match max_bytes {
                        0 => collector.merge_list(),
                        _ => collector.switch_to_bits(),
                    }
                }
            }
            let found = collector.finish().ok().map(Rows::bitmap);
            prop_assert_eq!(found, Some(expected.clone()));
        }
    }

    /// A packed list gives the same rows, be it read row by row or straight into the bits.
    #[test]
    fn takes_packed_rows(
        rows in proptest::collection::btree_set((0u32..60, 1u16..18), 1..300),
        some in proptest::collection::btree_set(0u32..60, 0..9),
    ) {
        let doc_ids = DocIdMap::NARROWEST;
        let tid = |(block, offset)| Tid { block, offset };
        let rows: Vec<Tid> = rows.into_iter().map(tid).collect();
        let bytes = pack(&rows);
        let mut block_set = BlockSet::prefix(3);
        some.iter().for_each(|block| block_set.add(*block));
        let all = BlockSet::all();
        let sets = [&all, &block_set].into_iter();
        for (block_set, with_bits) in sets.flat_map(|set| [(set, false), (set, true)]) {
            // The table's end is within a word of the bits.
            let mut collector = Collector::new(doc_ids, block_set, 50, 1 << 20);
            if with_bits {
                collector.switch_to_bits();
            }
            let list = PackedList::read(&bytes);
            prop_assert!(list.and_then(|list| collector.take_packed(list)).is_ok());
            let is_inside = |tid: &&Tid| block_set.contains(tid.block);
            let inside: Vec<&Tid> = rows.iter().filter(is_inside).collect();
            prop_assert_eq!(collector.collected, inside.len() as u64);
            prop_assert_eq!(collector.skipped, (rows.len() - inside.len()) as u64);
            let may_overflow =
                |tid: &&Tid| tid.offset > 16 && (tid.block < 50 || collector.overflowed);
            let overflowed = inside.iter().any(may_overflow);
            let expected = inside.iter().filter(|tid| tid.block < 50);
            let expected: RoaringBitmap =
                expected.filter_map(|tid| doc_ids.doc_id(**tid)).collect();
            match collector.finish() {
                Err(ReadError::DocIdOverflow(_)) => prop_assert!(overflowed),
                found => {
                    prop_assert!(!inside.iter().any(|tid| tid.offset > 16 && tid.block < 50));
                    prop_assert_eq!(found.ok().map(Rows::bitmap), Some(expected));
                }
            }
        }
    }
}

/// The number of a row without a doc ID lies behind the end of the table, though a row of the same
/// list comes after it and lies within.
#[test]
fn lists_no_row_without_a_doc_id() {
    let block_set = BlockSet::all();
    let bytes = pack(&[Tid { block: 2, offset: 60 }, Tid { block: 3, offset: 1 }]);
    for max_bytes in [1 << 20, 0] {
        let mut collector = Collector::new(DocIdMap::NARROWEST, &block_set, 4, max_bytes);
        assert!(PackedList::read(&bytes).and_then(|list| collector.take_packed(list)).is_ok());
        match max_bytes {
            0 => collector.merge_list(),
            _ => collector.switch_to_bits(),
        }
        assert!(matches!(collector.finish(), Err(ReadError::DocIdOverflow(_))));
    }
}
