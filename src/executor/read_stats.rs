//! What an answer took, for session_explain and EXPLAIN.

/// What was read for an answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadStats {
    /// Keys of the index that were looked up.
    pub keys: u64,
    /// Postings that were collected into a bitmap.
    pub postings: u64,
    /// Postings that were only counted, packed as they are.
    pub counted: u64,
    /// Rows that were looked up: to see whether they are visible or match, or for their documents.
    pub rows: u64,
    /// Pages of the table that were read.
    pub heap_pages: u64,
    /// What rows were put in order by, if they were.
    pub sorted_by: Option<&'static str>,
}

impl std::ops::AddAssign for ReadStats {
    fn add_assign(&mut self, other: ReadStats) {
        self.keys += other.keys;
        self.postings += other.postings;
        self.counted += other.counted;
        self.rows += other.rows;
        self.heap_pages += other.heap_pages;
        self.sorted_by = self.sorted_by.or(other.sorted_by);
    }
}
