//! The values of documents that were read one by one: those that the planner finds, where the
//! executor may not read the index. Documents are numbered as they come.

use super::intervals::PredicateRows;
use super::request::Facets;
use crate::document::{Jsonb, Scratch};
use crate::error::{Error, Result};
use crate::executor::{
    DocAddress, Domain, ReadResult, ReadStats, SortedValues, Span, ValueSource, Visit, Ways,
};
use crate::matcher::Matcher;
use crate::predicate::Predicate;
use roaring::RoaringBitmap;
use std::collections::{HashMap, HashSet};

/// What has to be known of each document.
#[derive(Default)]
pub struct Needs<'n> {
    /// The paths whose values are needed.
    pub paths: HashSet<&'n str>,
    /// The predicates that will be asked for.
    pub predicates: Vec<&'n Predicate>,
    /// Whether values of documents are needed that do not match the query.
    pub everything: bool,
}

impl<'n> Needs<'n> {
    /// What a request needs.
    pub fn of(facets: &'n Facets) -> Needs<'n> {
        let mut needs = Needs::default();
        facets.collect(&mut needs.paths, &mut needs.predicates, &mut needs.everything);
        needs
    }

    /// The values at one path.
    pub fn path(path: &'n str) -> Needs<'n> {
        Needs { paths: HashSet::from([path]), ..Needs::default() }
    }
}

/// The values of some documents.
pub struct DocumentValues<'n> {
    /// The query. Documents that were read may not match it if everything is needed.
    query: Matcher,
    paths: HashMap<&'n str, PathValues>,
    predicates: PredicateRows<'n>,
    everything: RoaringBitmap,
    matches: RoaringBitmap,
}

struct PathValues {
    values: SortedValues,
    having: RoaringBitmap,
}

impl<'n> DocumentValues<'n> {
    /// For a query, and what will be asked of its matches.
    pub fn new(query: &Predicate, needs: &Needs<'n>) -> DocumentValues<'n> {
        let share = needs.paths.len();
        let path = |path: &&'n str| {
            (*path, PathValues { values: SortedValues::new(share), having: RoaringBitmap::new() })
        };
        DocumentValues {
            query: Matcher::new(query),
            paths: needs.paths.iter().map(path).collect(),
            predicates: PredicateRows::new(&needs.predicates),
            everything: RoaringBitmap::new(),
            matches: RoaringBitmap::new(),
        }
    }

    /// Takes a document. It is looked at whether it matches the query, unless it is known to.
    pub fn push(&mut self, document: Jsonb<'_>, is_match: bool) -> Result<()> {
        let number = u32::try_from(self.everything.len()).map_err(|_| Error::RequestTooLarge {
            problem: "there are more documents than 32 bits can count".to_string(),
        })?;
        self.everything.insert(number);
        if is_match || self.query.matches(document) {
            self.matches.insert(number);
        }
        self.predicates.push(document, number);
        let (mut bytes, mut scratch, mut failed) = (Vec::new(), Scratch::new(), None);
        for (path, PathValues { values, having }) in &mut self.paths {
            document.leaves_at(path, &mut |leaf| {
                let Some(value) = leaf.scalar(&mut scratch) else { return };
                bytes.clear();
                value.write(&mut bytes);
                having.insert(number);
                if failed.is_none() {
                    failed = values.push(&bytes, DocAddress::new(0, number)).err();
                }
            });
        }
        failed.map_or(Ok(()), Err)
    }

    /// To be called behind the last document.
    pub fn finish(&mut self) {
        self.paths.values_mut().for_each(|path| path.values.sort());
    }
}

impl ValueSource for DocumentValues<'_> {
    fn matches(&self) -> Domain {
        Domain::numbered(self.matches.clone())
    }

    fn everything(&mut self) -> ReadResult<Domain> {
        Ok(Domain::numbered(self.everything.clone()))
    }

    fn matching(&mut self, predicate: &Predicate, within: &Domain) -> ReadResult<Domain> {
        let rows = self.predicates.get(predicate).cloned().unwrap_or_default();
        Ok(Domain::numbered(rows).and(within))
    }

    fn count(&mut self, predicate: &Predicate, within: &Domain) -> ReadResult<u64> {
        let rows = self.predicates.get(predicate);
        let count = |rows: &RoaringBitmap| {
            within.numbers().map_or(rows.len(), |within| rows.intersection_len(within))
        };
        Ok(rows.map_or(0, count))
    }

    fn having(&mut self, path: &str, within: &Domain) -> ReadResult<Domain> {
        let having = self.paths.get(path).map(|path| path.having.clone()).unwrap_or_default();
        Ok(Domain::numbered(having).and(within))
    }

    fn without(&mut self, within: &Domain, others: &Domain) -> ReadResult<Domain> {
        let numbers = |domain: &Domain| domain.numbers().cloned().unwrap_or_default();
        Ok(Domain::numbered(numbers(within) - numbers(others)))
    }

    fn each_value(
        &mut self,
        path: &str,
        span: &Span,
        within: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<()> {
        match self.paths.get_mut(path) {
            Some(path) => path.values.each(span, within, with_rows, visit),
            None => Ok(()),
        }
    }

    fn ways(&self) -> Ways {
        let way = |path: &&str| (path.to_string(), [("documents", 1)].into());
        self.paths.keys().map(way).collect()
    }

    fn stats(&self) -> ReadStats {
        ReadStats { rows: self.everything.len(), ..ReadStats::default() }
    }
}
