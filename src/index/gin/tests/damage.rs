//! The pure readers, on lists that were packed here and on pages that are damaged.

use super::super::bytes::BLCKSZ;
use super::super::page::{EntryKey, PageHeader, SPECIAL, Tuple};
use super::super::posting_list::{PostingList, Sink, Tid, count_segments, plain, segments};
use super::make::{entry_leaf, item, pack, page};
use super::read_everything;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn tids() -> impl Strategy<Value = Vec<Tid>> {
    let block = prop_oneof![0..3u32, 0..10_000u32, any::<u32>()];
    proptest::collection::btree_set((block, 1..292u16), 1..500).prop_map(|set: BTreeSet<_>| {
        set.into_iter().map(|(block, offset)| Tid { block, offset }).collect()
    })
}

fn keys() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let key = proptest::collection::vec(any::<u8>(), 0..40);
    proptest::collection::btree_set(key, 1..30).prop_map(|set| set.into_iter().collect())
}

/// How many items there are, and how many of them were handed out since they lie where it was asked
/// for.
fn count_where(packed: &[u8], wants: impl Fn(u32, u32) -> bool) -> (usize, usize) {
    struct Counter<W>(W, usize, usize);
    impl<W: Fn(u32, u32) -> bool> Sink for Counter<W> {
        fn wants(&self, first: u32, last: u32) -> bool {
            (self.0)(first, last)
        }
        fn take(&mut self, _: Tid) {
            self.1 += 1;
            self.2 += 1;
        }
        fn skip(&mut self, count: usize) {
            self.1 += count;
        }
    }
    let mut counter = Counter(wants, 0, 0);
    assert_eq!(segments(packed, &mut 0, &mut counter), Ok(()));
    (counter.1, counter.2)
}

proptest! {
    #[test]
    fn lists_are_read_as_they_were_packed(tids in tids()) {
        let packed = pack(&tids);
        let mut read = Vec::new();
        let list = PostingList { count: tids.len() as u16, compressed: true, bytes: &packed };
        prop_assert_eq!(list.for_each(&mut |tid: Tid| read.push(tid)), Ok(()));
        prop_assert_eq!(&read, &tids);

        let items: Vec<u8> = tids.iter().copied().flat_map(item).collect();
        let list = PostingList { count: tids.len() as u16, compressed: false, bytes: &items };
        read.clear();
        prop_assert_eq!(list.for_each(&mut |tid: Tid| read.push(tid)), Ok(()));
        prop_assert_eq!(&read, &tids);
    }

    #[test]
    fn segments_follow_one_another(tids in tids(), size in 1..100usize, some in any::<u32>()) {
        let packed: Vec<u8> = tids.chunks(size).flat_map(pack).collect();
        let (mut read, mut last) = (Vec::new(), 0);
        prop_assert_eq!(segments(&packed, &mut last, &mut |tid: Tid| read.push(tid)), Ok(()));
        prop_assert_eq!(&read, &tids);
        prop_assert_eq!(count_segments(&packed), Ok(tids.len()));
        prop_assert_eq!(count_where(&packed, |_, _| false), (tids.len(), 0));
        prop_assert_eq!(count_where(&packed, |first, last| first <= some && some <= last).0, tids.len());
        // What has been read does not come again.
        prop_assert!(segments(&packed, &mut last, &mut |_: Tid| ()).is_err());
    }

    #[test]
    fn leaves_are_read_as_they_were_made(keys in keys(), tids in tids()) {
        let tids = &tids[..tids.len().min(10)];
        let leaf = entry_leaf(&keys, tids);
        prop_assert_eq!(PageHeader::parse(&leaf).and_then(|page| page.tuples()), Ok(keys.len()));
        for (at, key) in keys.iter().enumerate() {
            let tuple = Tuple::at(&leaf, at);
            prop_assert_eq!(tuple.and_then(|tuple| tuple.key()), Ok(EntryKey::Plain(key)));
        }
        prop_assert!(read_everything(&leaf) >= keys.len() * tids.len());
    }

    #[test]
    fn damage_is_survived(keys in keys(), tids in tids(), flips in proptest::collection::vec((0..BLCKSZ, any::<u8>()), 1..40)) {
        let packed: Vec<u8> = tids.chunks(50).flat_map(pack).collect();
        let mut data = vec![0; 8];
        data.extend(&packed[..packed.len().min(8000)]);
        let pages = [
            entry_leaf(&keys, &tids[..tids.len().min(10)]),
            page(&data, 24 + data.len(), 1 | 2 | 1 << 7, 0),
            page(&data, 24 + data.len(), 1, 100),
        ];
        for mut page in pages {
            for &(at, byte) in &flips {
                // Where it hurts: headers, line pointers and the special space as often as
                // everything else.
                let at = match at % 4 { 0 => at, 1 => at % 32, 2 => 24 + at % 200, _ => SPECIAL + at % 8 };
                page[at] = byte;
                read_everything(&page);
            }
        }
    }

    #[test]
    fn garbage_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), count in any::<u16>(), compressed: bool) {
        let _ = PostingList { count, compressed, bytes: &bytes }.for_each(&mut |_: Tid| ());
        let _ = segments(&bytes, &mut 0, &mut |_: Tid| ());
        let _ = count_segments(&bytes);
        let _ = plain(&bytes, &mut 0, &mut |_: Tid| ());
    }
}
