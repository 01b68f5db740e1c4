//! Groups of pairs of a value and a document.

use super::doc_address::DocAddress;
use super::doc_id::ReadResult;
use super::domain::{Domain, PartRows};
use super::values::{Group, Visit};
use roaring::RoaringBitmap;

/// Collects neighbouring pairs with the same value.
pub struct GroupBuilder<'d> {
    within: &'d Domain,
    with_rows: bool,
    value: Vec<u8>,
    last: Option<DocAddress>,
    count: u64,
    rows: Vec<RoaringBitmap>,
}

impl<'d> GroupBuilder<'d> {
    /// For some documents.
    pub fn new(within: &'d Domain, with_rows: bool) -> GroupBuilder<'d> {
        let (value, last, count, rows) = (Vec::new(), None, 0, Vec::new());
        GroupBuilder { within, with_rows, value, last, count, rows }
    }

    /// Takes a pair; those of a value come behind each other.
    pub fn push(
        &mut self,
        value: &[u8],
        address: DocAddress,
        visit: &mut Visit<'_>,
    ) -> ReadResult<std::ops::ControlFlow<()>> {
        let part = address.partition();
        let is_within = self
            .within
            .parts
            .get(part)
            .is_some_and(|rows| rows.list().is_none_or(|rows| rows.contains(address.doc_id())));
        if !is_within || self.last == Some(address) && self.value == value {
            return Ok(std::ops::ControlFlow::Continue(()));
        }
        if self.value != value || self.last.is_none() {
            let flow = self.flush(visit)?;
            self.value.clear();
            self.value.extend_from_slice(value);
            if flow.is_break() {
                return Ok(flow);
            }
        }
        self.last = Some(address);
        self.count += 1;
        if self.with_rows {
            self.rows.resize_with(self.within.parts.len(), RoaringBitmap::new);
            if let Some(rows) = self.rows.get_mut(part) {
                rows.insert(address.doc_id());
            }
        }
        Ok(std::ops::ControlFlow::Continue(()))
    }

    fn flush(&mut self, visit: &mut Visit<'_>) -> ReadResult<std::ops::ControlFlow<()>> {
        let count = std::mem::take(&mut self.count);
        if count == 0 {
            return Ok(std::ops::ControlFlow::Continue(()));
        }
        let parts = std::mem::take(&mut self.rows).into_iter().map(PartRows::of).collect();
        let rows = self.with_rows.then_some(Domain { parts });
        visit(Group { value: &self.value, count, rows })
    }

    /// Visits the last value.
    pub fn finish(mut self, visit: &mut Visit<'_>) -> ReadResult<()> {
        self.flush(visit).map(drop)
    }
}
