//! Values that were read from documents, in their order, each with the documents that have it.
//!
//! As long as they fit into memory they are sorted there. Then PostgreSQL sorts them, in temporary
//! files, and what is asked for again and again is written to files in which any part is found at
//! once: the pairs in the order of their values, and those of a document behind each other. So the
//! buckets of a facet do not each read all values.

use super::doc_address::DocAddress;
use super::doc_id::ReadResult;
use super::domain::Domain;
use super::group_builder::GroupBuilder;
use super::pair_file::{PairFile, PairOrder};
use super::sorter::{Reading, Sorter};
use super::value_span::Span;
use super::values::{Group, Visit};
use crate::error::Result;
use crate::index::gin::Direction;
use crate::interrupts;
use crate::memory;
use crate::pg::guc::work_mem;
use std::ops::Range;

/// Pairs of a value and a document.
#[derive(Default)]
pub struct SortedValues {
    /// The bytes of the values, one behind the other.
    bytes: Vec<u8>,
    /// Where each value lies in them, and its document.
    pairs: Vec<(usize, u32, DocAddress)>,
    /// The numbers of the sorted pairs, those of a document behind each other. It is made when the
    /// values of few documents are asked for.
    by_document: Vec<u32>,
    /// The same where the pairs do not fit into memory.
    documents: Option<PairFile>,
    /// How many pairs there are.
    count: u64,
    /// Whether those that do not fit into memory were read.
    was_read: bool,
    /// Takes the pairs when they have become too many.
    spilled: Option<Spilled>,
    /// What the pairs may take, in bytes.
    max_bytes: usize,
}

type Pair = (Vec<u8>, DocAddress);

/// Pairs that do not fit into memory.
enum Spilled {
    /// They are sorted, and were not read yet.
    Sorter(Sorter),
    File(PairFile),
}

impl SortedValues {
    /// `share`: so many of these share half of work_mem.
    pub fn new(share: usize) -> SortedValues {
        SortedValues { max_bytes: work_mem() / 2 / share.max(1), ..SortedValues::default() }
    }

    /// Takes a value of a document. The same pair may come again.
    pub fn push(&mut self, value: &[u8], address: DocAddress) -> Result<()> {
        self.count += 1;
        if self.spilled.is_none() {
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
            self.spilled = Some(Spilled::Sorter(sorter));
        }
        if let Some(Spilled::Sorter(sorter)) = &mut self.spilled {
            sorter.put(&vec![Some(value.to_vec())], address);
        }
        Ok(())
    }

    fn value(&self, start: usize, length: u32) -> &[u8] {
        self.bytes.get(start..start + length as usize).unwrap_or_default()
    }

    /// To be called when all pairs were pushed, and before any is read.
    pub fn sort(&mut self) {
        if let Some(Spilled::Sorter(sorter)) = &mut self.spilled {
            sorter.sort();
        }
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.sort_unstable_by(|a, b| {
            interrupts::spend(1);
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
        if self.spilled.is_some() {
            return self.ascend_spilled(span, within, with_rows, visit);
        }
        let mut group = GroupBuilder::new(within, with_rows);
        let end = |at: &[u8]| self.pairs.partition_point(|pair| self.value(pair.0, pair.1) < at);
        let (first, last) = (end(&span.from), end(&span.below));
        let few = match are_few(within, last.saturating_sub(first) as u64, IN_MEMORY) {
            true => Some(self.pairs_of(within, first..last)?),
            false => None,
        };
        let few = few.as_ref().map(|few| few.iter().map(|at| *at as usize));
        let numbers: Box<dyn Iterator<Item = usize>> = match few {
            Some(few) => Box::new(few),
            None => Box::new(first..last),
        };
        for number in numbers {
            interrupts::spend(1);
            let Some(&(start, length, address)) = self.pairs.get(number) else { break };
            if group.push(self.value(start, length), address, visit)?.is_break() {
                return Ok(());
            }
        }
        group.finish(visit)
    }

    /// The numbers, in order, of those of some pairs that are of few documents.
    fn pairs_of(&mut self, within: &Domain, wanted: Range<usize>) -> Result<Vec<u32>> {
        let SortedValues { by_document, pairs, .. } = self;
        let address = |number: &u32| pairs.get(*number as usize).map(|pair| pair.2);
        if by_document.is_empty() {
            memory::reserve(by_document, pairs.len())?;
            by_document.extend(0..pairs.len() as u32);
            by_document.sort_by(|a, b| {
                interrupts::spend(1);
                address(a).cmp(&address(b))
            });
        }
        let mut numbers = Vec::new();
        for (part, rows) in within.parts.iter().enumerate() {
            for row in rows.list().into_iter().flatten() {
                interrupts::spend(8);
                let row = Some(DocAddress::new(part, row));
                let first = by_document.partition_point(|number| address(number) < row);
                let of_row = by_document.get(first..).unwrap_or_default().iter();
                let of_row = of_row.take_while(|number| address(number) == row);
                for number in of_row.filter(|number| wanted.contains(&(**number as usize))) {
                    memory::reserve(&mut numbers, 1)?;
                    numbers.push(*number);
                }
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The same, of pairs that do not fit into memory.
    fn ascend_spilled(
        &mut self,
        span: &Span,
        within: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<()> {
        let mut group = GroupBuilder::new(within, with_rows);
        if are_few(within, self.count, IN_FILE)
            && let Some(pairs) = self.spilled_pairs_of(span, within)?
        {
            for (value, address) in pairs {
                if group.push(&value, address, visit)?.is_break() {
                    return Ok(());
                }
            }
            return group.finish(visit);
        }
        match &mut self.spilled {
            Some(Spilled::Sorter(sorter)) if !self.was_read => {
                self.was_read = true;
                sorter.rewind();
                while let Some(address) = sorter.next() {
                    memory::check();
                    let Some(value) = sorter.values().pop().flatten() else { continue };
                    if span.contains(&value) && group.push(&value, address, visit)?.is_break() {
                        return Ok(());
                    }
                }
            }
            _ => {
                let Some(file) = self.file()? else { return Ok(()) };
                file.seek(&span.from, DocAddress::new(0, 0))?;
                while let Some((value, address)) = file.next()? {
                    if value >= &*span.below {
                        break;
                    }
                    if span.contains(value) && group.push(value, address, visit)?.is_break() {
                        return Ok(());
                    }
                }
            }
        }
        group.finish(visit)
    }

    /// The file of the pairs in the order of their values, which is made when it is first needed.
    fn file(&mut self) -> Result<Option<&mut PairFile>> {
        if let Some(Spilled::Sorter(sorter)) = &mut self.spilled {
            let mut file = PairFile::new(PairOrder::Value);
            sorter.rewind();
            while let Some(address) = sorter.next() {
                memory::check();
                if let Some(value) = sorter.values().pop().flatten() {
                    file.push(&value, address)?;
                }
            }
            self.spilled = Some(Spilled::File(file));
        }
        Ok(match &mut self.spilled {
            Some(Spilled::File(file)) => Some(file),
            _ => None,
        })
    }

    /// The pairs of a span that are of few documents, in order. None if they take too much memory.
    fn spilled_pairs_of(&mut self, span: &Span, within: &Domain) -> Result<Option<Vec<Pair>>> {
        if self.documents.is_none() {
            let Some(values) = self.file()? else { return Ok(None) };
            // By the document, then by the value.
            let mut sorter = Sorter::new(&[false, false], Reading::Repeated);
            values.seek(&[], DocAddress::new(0, 0))?;
            while let Some((value, address)) = values.next()? {
                let place = address.to_integer().to_be_bytes().to_vec();
                sorter.put(&vec![Some(place), Some(value.to_vec())], address);
            }
            sorter.sort();
            let mut file = PairFile::new(PairOrder::Document);
            while let Some(address) = sorter.next() {
                memory::check();
                if let Some(value) = sorter.values().pop().flatten() {
                    file.push(&value, address)?;
                }
            }
            self.documents = Some(file);
        }
        let Some(file) = &mut self.documents else { return Ok(None) };
        let (mut pairs, mut used) = (Vec::new(), 0);
        for (part, rows) in within.parts.iter().enumerate() {
            for row in rows.list().into_iter().flatten() {
                let row = DocAddress::new(part, row);
                file.seek(&[], row)?;
                while let Some((value, address)) = file.next()? {
                    if address > row {
                        break;
                    }
                    if address < row || !span.contains(value) {
                        continue;
                    }
                    used += size_of::<Pair>() + value.len();
                    if used > self.max_bytes {
                        return Ok(None);
                    }
                    memory::reserve(&mut pairs, 1)?;
                    pairs.push((value.to_vec(), address));
                }
            }
        }
        pairs.sort_unstable();
        Ok(Some(pairs))
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

/// About how many pairs are passed over in the time that it takes to find a document: in memory, and
/// in a file.
const IN_MEMORY: u64 = 32;
const IN_FILE: u64 = 64;

/// Whether it takes less time to find the documents one by one than to pass over so many pairs.
fn are_few(within: &Domain, pairs: u64, found: u64) -> bool {
    pairs <= u64::from(u32::MAX)
        && within.parts.iter().all(|rows| rows.list().is_some())
        && within.len().saturating_mul(found) < pairs
}
