//! Values that were read from documents, in their order, each with the documents that have it.
//!
//! As long as they fit into memory they are sorted there. Then PostgreSQL sorts them, in temporary
//! files.

use super::doc_address::DocAddress;
use super::doc_id::ReadResult;
use super::domain::{Domain, PartRows};
use super::sorter::{Reading, Sorter};
use super::values::{Group, Span, Visit};
use crate::error::Result;
use crate::index::gin::Direction;
use crate::memory;
use crate::pg::guc::work_mem;
use roaring::RoaringBitmap;

/// Pairs of a value and a document.
#[derive(Default)]
pub struct SortedValues {
    /// The bytes of the values, one behind the other.
    bytes: Vec<u8>,
    /// Where each value lies in them, and its document.
    pairs: Vec<(usize, u32, DocAddress)>,
    /// Takes the pairs when they have become too many.
    sorter: Option<Sorter>,
    /// What the pairs may take, in bytes.
    max_bytes: usize,
}

impl SortedValues {
    /// `share`: so many of these share half of work_mem.
    pub fn new(share: usize) -> SortedValues {
        SortedValues { max_bytes: work_mem() / 2 / share.max(1), ..SortedValues::default() }
    }

    /// Takes a value of a document. The same pair may come again.
    pub fn push(&mut self, value: &[u8], address: DocAddress) -> Result<()> {
        if self.sorter.is_none() {
            let used = self.bytes.len() + self.pairs.len() * size_of::<(usize, u32, DocAddress)>();
            if used + value.len() <= self.max_bytes {
                memory::reserve(&mut self.bytes, value.len())?;
                memory::reserve(&mut self.pairs, 1)?;
                self.pairs.push((self.bytes.len(), value.len() as u32, address));
                self.bytes.extend_from_slice(value);
                return Ok(());
            }
            let mut sorter = Sorter::new(&[false], Reading::Repeated);
            for (start, length, address) in std::mem::take(&mut self.pairs) {
                memory::check();
                sorter.put(&vec![Some(self.value(start, length).to_vec())], address);
            }
            self.bytes = Vec::new();
            self.sorter = Some(sorter);
        }
        if let Some(sorter) = &mut self.sorter {
            sorter.put(&vec![Some(value.to_vec())], address);
        }
        Ok(())
    }

    fn value(&self, start: usize, length: u32) -> &[u8] {
        self.bytes.get(start..start + length as usize).unwrap_or_default()
    }

    /// To be called when all pairs were pushed, and before any is read.
    pub fn sort(&mut self) {
        if let Some(sorter) = &mut self.sorter {
            sorter.sort();
        }
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.sort_unstable_by(|a, b| {
            self.value(a.0, a.1).cmp(self.value(b.0, b.1)).then(a.2.cmp(&b.2))
        });
        self.pairs = pairs;
    }

    /// Visits the values of a span in ascending order, of some documents. The number of parts of
    /// the domain is that of the addresses.
    fn ascend(
        &mut self,
        span: &Span,
        within: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<()> {
        let mut group = GroupBuilder::new(within, with_rows);
        if let Some(sorter) = &mut self.sorter {
            sorter.rewind();
            while let Some(address) = sorter.next() {
                memory::check();
                let Some(value) = sorter.values().pop().flatten() else { continue };
                if span.contains(&value) && group.push(&value, address, visit)?.is_break() {
                    return Ok(());
                }
            }
            return group.finish(visit);
        }
        let first = self.pairs.partition_point(|pair| self.value(pair.0, pair.1) < &*span.from);
        for &(start, length, address) in self.pairs.get(first..).unwrap_or_default() {
            let value = self.value(start, length);
            if !span.contains(value) {
                break;
            }
            if group.push(value, address, visit)?.is_break() {
                return Ok(());
            }
        }
        group.finish(visit)
    }

    /// Visits the values of a span in its direction, of some documents.
    pub fn each(
        &mut self,
        span: &Span,
        within: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<()> {
        if span.direction == Direction::Ascending {
            return self.ascend(span, within, with_rows, visit);
        }
        // The groups are few, or else the walk upwards reads from temporary files. Then so does the
        // walk downwards, piece by piece.
        let mut below = span.below.clone();
        loop {
            let mut last: std::collections::VecDeque<(Vec<u8>, u64, Option<Domain>)> =
                Default::default();
            let (mut bytes, mut is_whole) = (0, true);
            let piece =
                Span { below: below.clone(), direction: Direction::Ascending, ..span.clone() };
            self.ascend(&piece, within, with_rows, &mut |group: Group<'_>| {
                bytes += group.value.len() + 64;
                last.push_back((group.value.to_vec(), group.count, group.rows));
                while bytes > work_mem() / 2 && last.len() > 1 {
                    is_whole = false;
                    bytes -= last.pop_front().map_or(0, |(value, ..)| value.len() + 64);
                }
                Ok(std::ops::ControlFlow::Continue(()))
            })?;
            if let Some((first, ..)) = last.front() {
                below = first.clone();
            }
            for (value, count, rows) in last.into_iter().rev() {
                if visit(Group { value: &value, count, rows })?.is_break() {
                    return Ok(());
                }
            }
            if is_whole {
                return Ok(());
            }
        }
    }
}

/// Collects neighbouring pairs with the same value.
struct GroupBuilder<'d> {
    within: &'d Domain,
    with_rows: bool,
    value: Vec<u8>,
    last: Option<DocAddress>,
    count: u64,
    rows: Vec<RoaringBitmap>,
}

impl<'d> GroupBuilder<'d> {
    fn new(within: &'d Domain, with_rows: bool) -> GroupBuilder<'d> {
        let (value, last, count, rows) = (Vec::new(), None, 0, Vec::new());
        GroupBuilder { within, with_rows, value, last, count, rows }
    }

    fn push(
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

    fn finish(mut self, visit: &mut Visit<'_>) -> ReadResult<()> {
        self.flush(visit).map(drop)
    }
}
