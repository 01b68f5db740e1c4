//! Addresses of rows within a search.

/// A row of a search: the number of its table among the search's tables, and its doc ID there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocAddress {
    partition: u32,
    doc_id: u32,
}

impl DocAddress {
    pub fn new(partition: usize, doc_id: u32) -> DocAddress {
        DocAddress { partition: partition as u32, doc_id }
    }

    /// The number of the table.
    pub fn partition(self) -> usize {
        self.partition as usize
    }

    /// The row's doc ID.
    pub fn doc_id(self) -> u32 {
        self.doc_id
    }

    /// An integer. Integers have the order of the addresses: no search has so many tables that the
    /// number of one would need the sign bit.
    pub fn to_integer(self) -> i64 {
        i64::from(self.partition) << 32 | i64::from(self.doc_id)
    }

    /// The address that became this integer.
    pub fn from_integer(address: i64) -> DocAddress {
        DocAddress { partition: (address >> 32) as u32, doc_id: address as u32 }
    }
}
