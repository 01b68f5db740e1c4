//! What is true of all values at a path. It decides whether postings can be counted, and whether
//! keys are in the order of the values.

use super::postings::PostingReader;
use crate::error::Result;
use crate::index::gin::Postings;
use crate::index::key::{self, PathHash};
use crate::index::probe::LeafProbe;
use crate::index::ranges::{KeyRange, is_one_value};
use crate::index::string_code::{behind_packed, end_of_prefix, leading_digit};
use crate::predicate::Test;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

impl PostingReader<'_> {
    /// Whether no row has a key.
    pub fn is_unused(&self, key: &[u8]) -> Result<bool> {
        let is_unused = |postings: Postings<'_>| postings.known_len() == Some(0);
        Ok(!self.pending.contains_key(key)
            && self.index.entry(key, |postings| Ok(postings.is_none_or(is_unused)))?)
    }

    /// What a test looks for among the values at a path.
    pub fn probe(&self, test: &Test) -> Result<LeafProbe> {
        let probe = LeafProbe::new(test);
        if !probe.has_instant_keys() {
            return Ok(probe);
        }
        let known = &self.facts.has_older_documents;
        let has_older_documents = match known.get() {
            Some(has_older_documents) => *has_older_documents,
            None => {
                let has_older_documents = !self.is_unused(key::DOCUMENT_KEY_0_2)?
                    || !self.is_unused(key::DOCUMENT_KEY_0_3)?;
                *known.get_or_init(|| has_older_documents)
            }
        };
        Ok(if has_older_documents { LeafProbe::for_any_version(test) } else { probe })
    }

    /// Whether no document has more than one key of these ranges. Then there are as many documents
    /// as postings.
    pub fn have_disjoint_postings(&self, path: &str, ranges: &mut [KeyRange]) -> Result<bool> {
        ranges.sort_by(|a, b| a.from.cmp(&b.from));
        if ranges.windows(2).any(|pair| pair[1].from < pair[0].below)
            || self.path_hash_collides(path)?
        {
            return Ok(false);
        }
        if is_one_value(ranges) {
            return Ok(true);
        }
        self.has_single_values(path)
    }

    /// Whether no document has more than one value at a path.
    pub fn has_single_values(&self, path: &str) -> Result<bool> {
        // Documents that version 0.2 entered have no key that says so.
        let multi_valued = key::multi_valued(PathHash::of(path));
        Ok(self.is_unused(&multi_valued)? && self.is_unused(key::DOCUMENT_KEY_0_2)?)
    }

    /// Whether the keys of a path may hold another path's values: because both paths have the same
    /// hash, or because the path is too long to be stored whole.
    pub fn path_hash_collides(&self, path: &str) -> Result<bool> {
        if let Some(&known) = self.facts.collides.borrow().get(path) {
            return Ok(known);
        }
        let from = key::exists_prefix(PathHash::of(path));
        let mut collides = key::is_truncated_path(path);
        self.each_key(&from, &end_of_prefix(&from), &mut |key| {
            collides |= key::path_of(key) != Some(key::stored_path(path));
        })?;
        self.facts.collides.borrow_mut().insert(path.to_string(), collides);
        Ok(collides)
    }

    /// Whether a path has strings as versions before 0.4.0 stored them. Their keys and those of
    /// packed strings do not have one common order. The packed ones are leapt over.
    pub fn has_legacy_strings(&self, path: &str) -> Result<bool> {
        let prefix = key::value_prefix(PathHash::of(path));
        let digit = |key: &[u8]| key.strip_prefix(&prefix).and_then(leading_digit);
        let pending = self.pending.range(prefix.to_vec()..end_of_prefix(&prefix));
        if pending.filter_map(|(key, _)| digit(key)).any(|(_, is_legacy)| is_legacy) {
            return Ok(true);
        }
        let mut from = b'0';
        loop {
            let mut found = None;
            let start = [&prefix, behind_packed(from).as_slice()].concat();
            self.index.ascend(&start, &mut |key, _| {
                found = digit(key);
                Ok(ControlFlow::Break(()))
            })?;
            match found {
                None => return Ok(false),
                Some((digit, false)) if digit > from => from = digit,
                // A legacy string; or a key that lies before the one that was looked up, so that
                // the index is in no order that could be relied on.
                Some(_) => return Ok(true),
            }
        }
    }

    /// The existence keys of the paths below a path.
    pub fn existence_keys_below(&self, path: &str) -> Result<BTreeSet<Vec<u8>>> {
        let (from, below) = key::ALL_PATHS;
        let mut keys = BTreeSet::new();
        self.each_key(&from, &below, &mut |key| {
            if key::is_below(key, path) {
                keys.insert(key.to_vec());
            }
        })?;
        Ok(keys)
    }

    /// Adds the paths that begin with a prefix, and the keys of those paths that may be longer than
    /// what their keys hold.
    pub fn paths(
        &self,
        prefix: &str,
        paths: &mut BTreeSet<String>,
        truncated: &mut BTreeSet<Vec<u8>>,
    ) -> Result<()> {
        let ((from, below), start) = (key::ALL_PATHS, key::stored_path(prefix));
        self.each_key(&from, &below, &mut |key| {
            let found = key::path_of(key).filter(|path| path.starts_with(start));
            match found.map(std::str::from_utf8) {
                Some(Ok(path)) if !key::is_truncated_path(path) => {
                    paths.insert(path.to_string());
                }
                Some(_) => {
                    truncated.insert(key.to_vec());
                }
                None => {}
            }
        })
    }

    /// The hashes of all paths. Each path has an existence key, which names it.
    pub fn path_hashes(&self) -> Result<Vec<PathHash>> {
        let (from, below) = key::ALL_PATHS;
        let mut hashes = Vec::new();
        self.each_key(&from, &below, &mut |key| hashes.extend(key::path_hash(key)))?;
        hashes.sort_unstable();
        hashes.dedup();
        Ok(hashes)
    }

    /// Calls `visit` with the keys that are not less than `from` and less than `below`. A key that
    /// is both pending and in the tree comes twice.
    fn each_key(&self, from: &[u8], below: &[u8], visit: &mut impl FnMut(&[u8])) -> Result<()> {
        for (key, _) in self.pending.range(from.to_vec()..below.to_vec()) {
            visit(key);
        }
        self.index.ascend(from, &mut |key, _| {
            if key >= below {
                return Ok(ControlFlow::Break(()));
            }
            visit(key);
            Ok(ControlFlow::Continue(()))
        })
    }
}
