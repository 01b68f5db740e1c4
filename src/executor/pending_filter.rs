//! Which pending entries a query needs.

use crate::index::key::{self, PathHash};
use crate::predicate::Predicate;
use std::collections::HashSet;

/// The keys that a query can look up. The pending list is in no order and has to be read whole; of
/// its entries, only those with such keys are kept.
pub enum PendingFilter {
    /// Any key.
    All,
    /// Keys of some paths, and all keys that belong to no path.
    Paths(PathFilter),
}

/// Some paths.
#[derive(Default)]
pub struct PathFilter {
    /// In ascending order.
    hashes: Vec<PathHash>,
    /// Paths, as they are stored, for which the paths below them are needed too.
    with_descendants: HashSet<Vec<u8>>,
}

impl PendingFilter {
    /// Keys that belong to no path: those of whole documents.
    pub fn none() -> PendingFilter {
        PendingFilter::Paths(PathFilter::default())
    }

    /// Keys of one path, without the paths below it.
    pub fn path(path: &str) -> PendingFilter {
        let hashes = vec![PathHash::of(path)];
        PendingFilter::Paths(PathFilter { hashes, with_descendants: HashSet::new() })
    }

    /// The keys that a predicate's conditions look up.
    pub fn of(predicate: &Predicate) -> PendingFilter {
        let mut paths = PathFilter::default();
        for (path, test) in predicate.conditions() {
            // A condition without a path is on the values of all paths.
            let Some(path) = path else { return PendingFilter::All };
            paths.hashes.push(PathHash::of(path));
            if test.is_existence() {
                paths.with_descendants.insert(key::stored_path(path).to_vec());
            }
        }
        paths.hashes.sort_unstable();
        paths.hashes.dedup();
        PendingFilter::Paths(paths)
    }

    /// Whether the query needs the entries of a key.
    pub fn contains(&self, key: &[u8]) -> bool {
        match (self, key::path_hash(key)) {
            (PendingFilter::All, _) | (_, None) => true,
            (PendingFilter::Paths(paths), Some(hash)) => {
                let ancestors = &paths.with_descendants;
                paths.hashes.binary_search(&hash).is_ok()
                    || !ancestors.is_empty()
                        && key::paths_above(key).any(|path| ancestors.contains(path))
            }
        }
    }
}
