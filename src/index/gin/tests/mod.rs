//! The reader against SQL, and its pure parts against lists that were packed here and pages that
//! are damaged.

#[cfg(test)]
mod damage;
mod indexes;
#[cfg(test)]
mod make;
mod server;

#[cfg(test)]
pub use make::pack;

use super::bytes::Block;
use super::data::{DataContent, DataPage};
use super::page::{EntryContent, PageHeader, Tuple};
use super::posting_list::Tid;

/// Reads everything that a page may be asked for. Whatever its bytes are, this returns.
pub fn read_everything(page: &Block) -> usize {
    let mut seen = 0;
    if let Ok(DataPage { content, .. }) = DataPage::parse(page) {
        match content {
            DataContent::Inner(children) => {
                seen += (0..children.len()).filter(|&at| children.get(at) > 0).count()
            }
            DataContent::Leaf(items) => {
                let _ = items.for_each(&mut 0, &mut |_: Tid| seen += 1);
                let _ = items.count();
            }
            DataContent::Deleted => {}
        }
    }
    let Ok(head) = PageHeader::parse(page) else { return seen };
    let _ = head.pending_head(page);
    for tuple in (0..head.tuples().unwrap_or(0)).filter_map(|at| Tuple::at(page, at).ok()) {
        seen += usize::from(tuple.key().is_ok()) + usize::from(tuple.downlink() > 0);
        if let Ok(EntryContent::List(list)) = tuple.content() {
            let _ = list.for_each(&mut |_: Tid| seen += 1);
        }
    }
    seen
}
