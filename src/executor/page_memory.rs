//! What is remembered of pages that were looked at, by block, in groups of neighbours: a question that
//! needs few pages does not pay for memory of all. To get that from the system took a fifth of a
//! session's first question for a rare term.

use pgrx::pg_sys;

/// What is remembered of a page that was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PageMemory {
    /// 0 where what was seen is true for one snapshot alone.
    pub lsn: u64,
    /// The newest transaction that touched a row of the page, or `NO_TRANSACTION`.
    pub newest: u32,
    /// The buffer that had the page.
    pub buffer: pg_sys::Buffer,
}

/// Pages of a group, which take 1 kB.
const GROUP: usize = 64;

/// By block. Nothing is known of pages that were not put in.
#[derive(Default)]
pub struct PageMemories {
    groups: Vec<Option<Box<[PageMemory; GROUP]>>>,
    /// How many groups there are.
    made: usize,
}

impl PageMemories {
    pub fn get(&self, block: u32) -> PageMemory {
        let group = self.groups.get(block as usize / GROUP).and_then(Option::as_ref);
        group.map(|group| group[block as usize % GROUP]).unwrap_or_default()
    }

    pub fn put(&mut self, block: u32, page: PageMemory) {
        let at = block as usize / GROUP;
        if self.groups.len() <= at {
            self.groups.resize_with(at + 1, || None);
        }
        let made = &mut self.made;
        let group = self.groups[at].get_or_insert_with(|| {
            *made += 1;
            Box::new([PageMemory::default(); GROUP])
        });
        group[block as usize % GROUP] = page;
    }

    pub fn forget(&mut self, block: u32) {
        if let Some(Some(group)) = self.groups.get_mut(block as usize / GROUP) {
            group[block as usize % GROUP] = PageMemory::default();
        }
    }

    /// How many bytes they take.
    pub fn size(&self) -> usize {
        self.made * size_of::<[PageMemory; GROUP]>() + self.groups.capacity() * size_of::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_far_apart_take_memory_for_themselves_alone() {
        let mut pages = PageMemories::default();
        let page = |lsn| PageMemory { lsn, newest: 3, buffer: 7 };
        for block in [0, 63, 64, 1_000_000] {
            assert_eq!(pages.get(block), PageMemory::default());
            pages.put(block, page(u64::from(block) + 1));
        }
        assert_eq!((pages.get(63), pages.get(62)), (page(64), PageMemory::default()));
        assert!(pages.size() < 1_000_000 / GROUP * size_of::<usize>() * 2 + (4 << 10));
        pages.put(63, page(5));
        pages.forget(64);
        pages.forget(5_000_000);
        assert_eq!((pages.get(63), pages.get(64)), (page(5), PageMemory::default()));
        assert_eq!(pages.get(1_000_000), page(1_000_001));
    }
}
