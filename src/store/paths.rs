//! session_paths: every path that some document has a value at.

use super::catalog::{Operator, Store};
use super::facets::Target;
use super::search::StoreQuery;
use crate::document::{Jsonb, Scratch, TYPES, walk};
use crate::error::{Error, Result};
use crate::executor::{ReadResult, Span, ValueSource};
use crate::facet::Asked;
use crate::index::gin::Direction;
use crate::interrupts;
use crate::pg::guc::work_mem;
use crate::pg::spi::Spi;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What there is at a path.
pub struct PathSummary {
    pub path: String,
    /// How many documents have a value there.
    pub documents: u64,
    /// How many documents have a number, a string and a boolean there.
    pub types: [u64; TYPES.len()],
    /// How many different values there are.
    pub values: u64,
    /// Whether some document has two different ones.
    pub is_multivalued: bool,
}

/// The paths that begin with a prefix, in their order.
pub fn paths(store: &str, prefix: &str) -> Result<Vec<PathSummary>> {
    let search = StoreQuery::parse("*:*")?;
    Spi::connect(|spi| {
        let (store, operator) = (Store::find(spi, store)?, Operator::find()?);
        let table = &store.source(spi, &search.predicate)?;
        let target = Target { spi, table, operator, search: &search };
        let asked = Asked::Paths { prefix, only_names: false };
        let known = target.with_known(&asked, &mut |source| of_index(source, prefix))?;
        if let Some(paths) = known.flatten() {
            return Ok(paths);
        }
        let mut all = DocumentPaths { prefix, paths: BTreeMap::new(), bytes: 0 };
        target.each_document(&search, &mut |doc| all.push(doc))?;
        Ok(all.paths.into_iter().map(|(path, found)| found.summary(path)).collect())
    })
}

/// The names of all paths, and perhaps some at which no document has a value any more.
pub(super) fn names(store: &str) -> Result<Vec<String>> {
    let search = StoreQuery::parse("*:*")?;
    let known = Spi::connect(|spi| {
        let (store, operator) = (Store::find(spi, store)?, Operator::find()?);
        let table = &store.source(spi, &search.predicate)?;
        let target = Target { spi, table, operator, search: &search };
        let asked = Asked::Paths { prefix: "", only_names: true };
        Ok(target.with_known(&asked, &mut |source| source.paths(""))?.flatten())
    })?;
    match known {
        Some(names) => Ok(names.into_iter().collect()),
        None => Ok(paths(store, "")?.into_iter().map(|found| found.path).collect()),
    }
}

/// The paths as an index knows them, or all shards together; none if they do not.
fn of_index(source: &mut dyn ValueSource, prefix: &str) -> ReadResult<Option<Vec<PathSummary>>> {
    let Some(paths) = source.paths(prefix)? else { return Ok(None) };
    let mut summaries = Vec::new();
    for path in paths {
        crate::memory::check();
        summaries.extend(summary(source, path)?);
    }
    Ok(Some(summaries))
}

/// What there is at a path. None if no visible document has it: its keys are left by others, or are
/// those of an object, which versions before 0.4.0 wrote, too.
fn summary(source: &mut dyn ValueSource, path: String) -> ReadResult<Option<PathSummary>> {
    let all = source.matches();
    let (mut values, mut types) = (0, [0; TYPES.len()]);
    for (count, tag) in types.iter_mut().zip(TYPES) {
        let tally = source.tally(&path, &Span::of_type(tag, Direction::Ascending), &all)?;
        (*count, values) = (tally.values, values + tally.distinct);
    }
    if values == 0 {
        return Ok(None);
    }
    // A document counts once for each of its values.
    let counted: u64 = types.iter().sum();
    let documents = match source.has_single_values(&path)? {
        true => counted,
        false => source.count_having(&path, &all)?,
    };
    if counted > documents {
        let is_only = types.iter().filter(|count| **count > 0).count() == 1;
        for (count, tag) in types.iter_mut().zip(TYPES).filter(|(count, _)| **count > 0) {
            *count = documents;
            if !is_only {
                *count = source.count_type(&path, tag, &all)?;
            }
        }
    }
    let is_multivalued = counted > documents;
    Ok(Some(PathSummary { path, documents, types, values, is_multivalued }))
}

/// The paths of documents that are read one by one.
struct DocumentPaths<'p> {
    prefix: &'p str,
    paths: BTreeMap<String, FoundPath>,
    /// About how much memory the paths and values take.
    bytes: usize,
}

#[derive(Default)]
struct FoundPath {
    documents: u64,
    types: [u64; TYPES.len()],
    values: HashSet<Vec<u8>>,
    is_multivalued: bool,
}

impl DocumentPaths<'_> {
    fn push(&mut self, doc: Jsonb<'_>) -> Result<()> {
        let (mut leaves, mut scratch) = (BTreeMap::new(), Scratch::new());
        walk(doc, &mut |path, leaf| {
            if path.starts_with(self.prefix)
                && let Some(value) = leaf.scalar(&mut scratch)
            {
                interrupts::spend(1);
                let values: &mut BTreeSet<Vec<u8>> = leaves.entry(path.to_string()).or_default();
                values.insert(value.to_bytes());
            }
        });
        for (path, values) in leaves {
            // What an entry of a map or set takes beside its bytes.
            const ENTRY: usize = 64;
            if !self.paths.contains_key(&path) {
                self.bytes += path.len() + size_of::<FoundPath>() + ENTRY;
            }
            let found = self.paths.entry(path).or_default();
            found.documents += 1;
            found.is_multivalued |= values.len() > 1;
            for (at, tag) in TYPES.iter().enumerate() {
                found.types[at] += u64::from(values.iter().any(|value| value.first() == Some(tag)));
            }
            for value in values {
                let bytes = value.len() + ENTRY;
                if found.values.insert(value) {
                    self.bytes += bytes;
                }
            }
        }
        match self.bytes <= work_mem() {
            true => Ok(()),
            false => Err(Error::RequestTooLarge {
                problem: "the different values of the documents take more than work_mem, and here \
                          they cannot be read from the index"
                    .to_string(),
            }),
        }
    }
}

impl FoundPath {
    fn summary(self, path: String) -> PathSummary {
        let FoundPath { documents, types, values, is_multivalued } = self;
        PathSummary { path, documents, types, values: values.len() as u64, is_multivalued }
    }
}
