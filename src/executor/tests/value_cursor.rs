//! Walks over the values at a path.

use super::{Version, done, insert, kept, make_table, with_jsonb, with_rows};
use crate::document::{Scalar, Scratch, extreme};
use crate::executor::doc_id::{DocIdMap, ReadError, ReadResult};
use crate::executor::heap::Heap;
use crate::executor::pending_filter::PendingFilter;
use crate::executor::postings::PostingReader;
use crate::executor::search::IndexSearch;
use crate::executor::value_cursor::{ValueBounds, ValueCursor};
use crate::executor::wanted_rows::{Among, RowFilter};
use crate::index::gin::{Direction, GinIndex};
use crate::index::string_code::{Unpacked, unpack};
use crate::index::{key, parse_cache};
use crate::syntax::SortKey;
use pgrx::prelude::*;
use roaring::RoaringBitmap;

/// The values at a path as a cursor hands them out, each with its number of rows and whether it is
/// truncated.
fn values(
    path: &str,
    bounds: ValueBounds<'_>,
    direction: Direction,
    doc_ids: DocIdMap,
    among: Option<&RoaringBitmap>,
) -> ReadResult<Vec<(Vec<u8>, u64, bool)>> {
    let table = kept();
    let (index, blocks) = (GinIndex::open(table.index)?, Heap::of(&table).blocks());
    let reader = PostingReader::new(&index, doc_ids, blocks, &PendingFilter::path(path))?;
    let mut cursor = ValueCursor::new(&reader, path, bounds, direction)?;
    let (filter, mut values) =
        (RowFilter { among: among.map(Among::Compressed), except: None }, Vec::new());
    while let Some(next) = cursor.next(&index, filter)? {
        let value = unpack(&next.stored, &mut Unpacked::new()).to_vec();
        values.push((value, next.rows.len(), next.is_truncated));
    }
    Ok(values)
}

#[pg_schema]
mod tests {
    use super::*;
    use serde_json::json;

    /// The values of the tree and those that are pending come in one order, either way.
    #[pg_test]
    fn executor_walks_over_values_in_order() {
        make_table("on");
        let long = "x".repeat(300);
        let documents = [
            json!({ "a": 3 }),
            json!({ "a": [1, "12"] }),
            json!({ "a": long, "b": 1 }),
            json!({ "a": 2 }),
            json!({ "a": 3, "b": 1 }),
            json!({ "b": 0 }),
            json!({ "a": ["12", "7"] }),
            json!({ "a": 1, "b": 1 }),
        ];
        for (at, document) in documents.iter().enumerate() {
            if at == 4 {
                let sql = "SELECT gin_clean_pending_list('kept_keys_idx')";
                assert!(Spi::run(sql).is_ok(), "{sql}");
            }
            insert(document, Version::This);
        }
        let number = |number: u32| {
            let document = json!({ "a": number });
            with_jsonb(&document, |doc| extreme(doc, "a", false, &mut Scratch::new()))
                .unwrap_or_default()
        };
        let string = |text: &str| Scalar::String(text).to_bytes();
        let truncated = key::stored_value(&string(&long)).to_vec();
        let all = vec![
            (number(1), 2, false),
            (number(2), 1, false),
            (number(3), 2, false),
            (string("12"), 2, false),
            (string("7"), 1, false),
            (truncated, 1, true),
        ];
        let (all_values, map) = (ValueBounds::default(), DocIdMap::NARROWEST);
        let walk = |bounds, direction, among| {
            let values = values("a", bounds, direction, map, among);
            values.unwrap_or_else(|error| panic!("{error:?}"))
        };
        assert_eq!(walk(all_values, Direction::Ascending, None), all);
        let reversed: Vec<_> = all.iter().rev().cloned().collect();
        assert_eq!(walk(all_values, Direction::Descending, None), reversed);
        let bounds = ValueBounds { from: Some(&all[1].0), below: Some(&all[2].0) };
        for direction in [Direction::Ascending, Direction::Descending] {
            assert_eq!(walk(bounds, direction, None), all[1..2]);
            let empty = ValueBounds { from: bounds.below, below: bounds.from };
            assert_eq!(walk(empty, direction, None), []);
        }
        // The rows that have b = 1 are those at offsets 3, 5 and 8 of the first page.
        let among: RoaringBitmap = [2, 4, 7].into_iter().collect();
        let of_some: Vec<_> =
            [0, 2, 5].map(|at| (all[at].0.clone(), 1, all[at].2)).into_iter().collect();
        assert_eq!(walk(all_values, Direction::Ascending, Some(&among)), of_some);
    }

    /// While a search lasts, rows may come to its pages that have no doc ID in its map. They are
    /// not among its matches, and a walk over values leaves them out.
    #[pg_test]
    fn executor_walks_past_rows_without_doc_ids() {
        make_table("off");
        let pad = "x".repeat(600);
        let copy = |document: &serde_json::Value, count: u32| {
            insert(document, Version::This);
            let sql = format!(
                "INSERT INTO kept SELECT k.doc, k.keys FROM (SELECT doc, keys FROM kept \
                 WHERE doc = '{document}' LIMIT 1) k, generate_series(2, {count})"
            );
            assert!(Spi::run(&sql).is_ok(), "{sql}");
        };
        copy(&json!({ "a": 1, "b": 1, "pad": pad }), 100);
        copy(&json!({ "a": 1, "pad": pad }), 4_000);
        with_rows(|| {
            let predicate = done(parse_cache::parse_cached("b:1")).predicate.clone();
            let search = done(IndexSearch::new(&[kept()], &predicate));
            let mut search = search.unwrap_or_else(|| panic!("the table is small"));
            assert_eq!(search.partitions[0].doc_ids, DocIdMap::NARROWEST);
            copy(&json!({ "a": 1 }), 100);
            let all = ValueBounds::default();
            let found = values("a", all, Direction::Ascending, DocIdMap::NARROWEST, None);
            assert!(matches!(found, Err(ReadError::DocIdOverflow(_))));
            let found = values("a", all, Direction::Ascending, DocIdMap::WIDEST, None);
            assert!(found.is_ok_and(|values| values.len() == 1 && values[0].1 == 4_200));
            let sort = [SortKey { path: "a".into(), descending: false, largest: false }];
            assert!(done(search.sort(&sort, 0, Some(3))));
            let looked_up = search.stats.rows;
            let mut documents = 0;
            done(search.each(&mut |_| {
                documents += 1;
                documents < 3
            }));
            assert_eq!((looked_up, documents), (0, 3));
        });
    }
}
