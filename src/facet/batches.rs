//! Values with each of which something is done that reads other values.

use super::terms::ValueCount;
use crate::executor::{Domain, Group, ReadResult, Span, ValueSource};
use crate::memory;
use crate::pg::guc::work_mem;
use std::ops::ControlFlow;

/// Values of some documents in ascending order, with each of which something is done that reads
/// other values.
pub(super) struct Values<'v> {
    pub path: &'v str,
    pub span: Span,
    pub within: &'v Domain,
    pub with_rows: bool,
}

impl Values<'_> {
    /// Does something with each value. They are read in batches of at most half of work_mem.
    pub fn each(
        self,
        source: &mut dyn ValueSource,
        count_of: &dyn Fn(&Group<'_>) -> u64,
        work: &mut dyn FnMut(&mut dyn ValueSource, ValueCount) -> ReadResult<()>,
    ) -> ReadResult<()> {
        let Values { path, mut span, within, with_rows } = self;
        let mut last: Option<Vec<u8>> = None;
        loop {
            let (mut batch, mut left) = (Vec::new(), work_mem() / 2);
            source.each_value(path, &span, within, with_rows, &mut |group| {
                if last.as_deref() == Some(group.value) {
                    return Ok(ControlFlow::Continue(()));
                }
                memory::reserve(&mut batch, 1)?;
                batch.push(ValueCount { value: group.value.to_vec(), count: count_of(&group) });
                left = left.saturating_sub(size_of::<ValueCount>() + group.value.len());
                Ok(if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            })?;
            let Some(ValueCount { value, .. }) = batch.last() else { return Ok(()) };
            // The next batch begins behind this value.
            span.from.clone_from(value);
            last = Some(value.clone());
            for counted in batch {
                memory::check();
                work(source, counted)?;
            }
            if left > 0 {
                return Ok(());
            }
        }
    }
}
