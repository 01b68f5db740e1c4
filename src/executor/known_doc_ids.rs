//! The maps from rows to doc IDs that the tables of a session needed so far.

use super::doc_id::DocIdMap;
use super::table::IndexedTable;
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    /// By the OID of a table: the map that it needed so far in this session, if not the narrowest.
    static DOC_ID_MAPS: RefCell<HashMap<u32, DocIdMap>> = RefCell::default();
}

/// The map that a table needed so far in this session.
pub fn known_doc_ids(table: &IndexedTable) -> DocIdMap {
    let known = DOC_ID_MAPS.with_borrow(|maps| maps.get(&table.table.to_u32()).copied());
    known.unwrap_or(DocIdMap::NARROWEST)
}

/// Remembers that a table needs a wider map.
pub fn remember_doc_ids(table: &IndexedTable, doc_ids: DocIdMap) {
    DOC_ID_MAPS.with_borrow_mut(|maps| maps.insert(table.table.to_u32(), doc_ids));
}
