//! A sample of rows whose number is not known in advance.

use crate::index::gin::Tid;

/// A random sample in which each row is equally likely (Vitter's algorithm R). Its order does not
/// depend on the order of the rows.
pub struct Reservoir {
    pub kept: Vec<Tid>,
    room: usize,
    pub seen: u64,
    random: u64,
}

impl Reservoir {
    pub fn new(room: usize) -> Reservoir {
        Reservoir { kept: Vec::new(), room, seen: 0, random: 0 }
    }

    pub fn add(&mut self, row: Tid) {
        self.seen += 1;
        let place = self.below(self.seen);
        if self.kept.len() < self.room {
            let last = self.kept.len();
            self.kept.push(row);
            self.kept.swap(place, last);
        } else if let Some(kept) = self.kept.get_mut(place) {
            *kept = row;
        }
    }

    /// A number below `end`. It is the same each time, because estimates should be: the high bits
    /// of Knuth's MMIX generator.
    fn below(&mut self, end: u64) -> usize {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        const TERM: u64 = 1_442_695_040_888_963_407;
        self.random = self.random.wrapping_mul(FACTOR).wrapping_add(TERM);
        ((self.random >> 33) % end) as usize
    }
}
