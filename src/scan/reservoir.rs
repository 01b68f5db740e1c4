//! A sample of rows of which there may be any number.

use crate::index::gin::Tid;

/// Of many rows, some, each as likely as the other (Vitter's algorithm R), in an order that has nothing to do with theirs.
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

    /// A number below another one. The same from one time to the next, as estimates are to be: Knuth's MMIX generator, its high bits.
    fn below(&mut self, end: u64) -> usize {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        const TERM: u64 = 1_442_695_040_888_963_407;
        self.random = self.random.wrapping_mul(FACTOR).wrapping_add(TERM);
        ((self.random >> 33) % end) as usize
    }
}
