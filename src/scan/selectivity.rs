//! How many documents a query finds, for the planner: a look into the index instead of a constant.

use super::{plan, rights};
use crate::error::Result;
use crate::index::gin::GinIndex;
use crate::index::key::{self, PathHash};
use crate::index::span::{Probe, Span, Truth};
use crate::index::{Arguments, c_functions, has_own_rows, operator};
use crate::predicate::{Predicate, Test};
use pgrx::{IntoDatum, PgList, pg_guard, pg_sys};
use std::ops::ControlFlow;

c_functions! {
    pg_finfo_session_store_selectivity session_store_selectivity selectivity;
}

/// For want of anything known: of an operator that is not asked with a constant, say.
const UNKNOWN: f64 = 0.01;
/// So many keys of an interval are asked before the rest is taken to be like them.
const SAMPLE: usize = 5_000;
/// So many paths are looked into for a value at any path.
const PATHS: usize = 100;

/// (PlannerInfo *, operator, arguments, varRelid) → fraction
unsafe fn selectivity(arguments: Arguments) -> pg_sys::Datum {
    // SAFETY: as declared; the arguments are handed on as they came (selfuncs.c).
    let fraction = unsafe {
        let (root, list) = (arguments.pointer(0), arguments.pointer::<pg_sys::List>(2));
        let operator = pg_sys::Oid::from(arguments.datum(1).value() as u32);
        let relation = arguments.datum(3).value() as i32;
        // Without an index, documents that ANALYZE has kept are asked.
        of_constant(root, operator, list, relation).unwrap_or_else(|| {
            let collation = (*arguments.0).fncollation;
            pg_sys::generic_restriction_selectivity(
                root, operator, collation, list, relation, UNKNOWN,
            )
        })
    };
    fraction.into_datum().unwrap_or(pg_sys::Datum::null())
}

/// None where there is no query yet, or where it may be asked of documents that ANALYZE has kept.
unsafe fn of_constant(
    root: *mut pg_sys::PlannerInfo,
    operator: pg_sys::Oid,
    arguments: *mut pg_sys::List,
    relation: i32,
) -> Option<f64> {
    // SAFETY: as PostgreSQL's own estimators do (selfuncs.c, matchingsel and others); a constant of the operator's right side is a
    // lucene_query.
    unsafe {
        let mut variable = pg_sys::VariableStatData::default();
        let (mut other, mut is_left) = (std::ptr::null_mut::<pg_sys::Node>(), false);
        let found = pg_sys::get_restriction_variable(
            root,
            arguments,
            relation,
            &raw mut variable,
            &raw mut other,
            &raw mut is_left,
        );
        if !found {
            return None;
        }
        if rights::has_hidden_rows(root, variable.rel) {
            withhold_indexes(variable.rel, variable.var, operator);
        }
        let query = if is_left { plan::constant(other) } else { None };
        let fraction = query.and_then(|query| {
            let predicate = operator::predicate(query);
            if !rights::may_read_all(root, &variable) {
                return Some(guess(&predicate));
            }
            let index = index_on(variable.rel, variable.var, operator)?;
            if !is_of_one_heap(root, variable.rel) {
                return None;
            }
            Some(fraction_of(index, &predicate).unwrap_or_else(|error| error.raise()))
        });
        if let Some(free) = variable.freefunc.filter(|_| !variable.statsTuple.is_null()) {
            free(variable.statsTuple);
        }
        fraction
    }
}

/// EXPLAIN ANALYZE says of each node of PostgreSQL's own how many rows it found. Where some are hidden, its bitmap scans must not tell how
/// many of those match: the scan of our own takes their place, which tells nothing (indxpath.c looks at the flag after it asked for
/// the costs of a scan, and so for this estimate).
unsafe fn withhold_indexes(
    rel: *mut pg_sys::RelOptInfo,
    column: *mut pg_sys::Node,
    operator: pg_sys::Oid,
) {
    // SAFETY: the planner's lists hold what their names say (pathnodes.h).
    unsafe {
        for index in PgList::<pg_sys::IndexOptInfo>::from_pg((*rel).indexlist).iter_ptr() {
            if pg_sys::op_in_opfamily(operator, *(*index).opfamily)
                && pg_sys::match_index_to_operand(column, 0, index)
            {
                (*index).amhasgetbitmap = false;
            }
        }
    }
}

/// From the query alone.
fn guess(predicate: &Predicate) -> f64 {
    match predicate {
        Predicate::All => 1.0,
        Predicate::None => 0.0,
        Predicate::And(parts) => parts.iter().map(guess).product(),
        Predicate::Or(parts) => 1.0 - parts.iter().map(|part| 1.0 - guess(part)).product::<f64>(),
        Predicate::Not(part) => 1.0 - guess(part),
        Predicate::Leaf { .. } => UNKNOWN,
    }
}

/// The index of the operator's class on just this column, if there is one.
unsafe fn index_on(
    relation: *mut pg_sys::RelOptInfo,
    column: *mut pg_sys::Node,
    operator: pg_sys::Oid,
) -> Option<pg_sys::Oid> {
    if relation.is_null() {
        return None;
    }
    // SAFETY: the planner's lists hold what their names say (pathnodes.h).
    unsafe {
        PgList::<pg_sys::IndexOptInfo>::from_pg((*relation).indexlist)
            .iter_ptr()
            .find(|&index| answers(index, operator, column))
            .map(|index| (*index).indexoid)
    }
}

/// Whether the index of a relation has all of its rows: not that of a family of tables, or of one whose rows are elsewhere.
unsafe fn is_of_one_heap(root: *mut pg_sys::PlannerInfo, rel: *mut pg_sys::RelOptInfo) -> bool {
    // SAFETY: each base relation has its entry in the range table, and was locked when the query was analysed (pathnodes.h).
    unsafe {
        let entries = (*root).simple_rte_array;
        if (*rel).relid == 0 || entries.is_null() {
            return false;
        }
        let entry = *entries.add((*rel).relid as usize);
        (*entry).rtekind == pg_sys::RTEKind::RTE_RELATION
            && !(*entry).inh
            && has_own_rows((*entry).relid)
    }
}

/// Whether an index is on just this column, of all rows, and of the operator's class.
///
/// # Safety
/// The nodes must be the planner's.
pub unsafe fn answers(
    index: *mut pg_sys::IndexOptInfo,
    operator: pg_sys::Oid,
    column: *mut pg_sys::Node,
) -> bool {
    // SAFETY: as above.
    unsafe {
        (*index).relam == pg_sys::GIN_AM_OID
            && (*index).nkeycolumns == 1
            && (*index).indpred.is_null()
            && !(*index).hypothetical
            && pg_sys::op_in_opfamily(operator, *(*index).opfamily)
            && pg_sys::match_index_to_operand(column, 0, index)
    }
}

fn fraction_of(index: pg_sys::Oid, predicate: &Predicate) -> Result<f64> {
    let index = GinIndex::open(index)?;
    Ok(Estimator::of(&index)?.fraction(predicate)?.clamp(0.0, 1.0))
}

/// How many documents of an index meet a predicate. Whoever is told may be told of each of them.
pub fn estimate(index: pg_sys::Oid, predicate: &Predicate) -> Result<f64> {
    let index = GinIndex::open(index)?;
    let estimator = Estimator::of(&index)?;
    Ok(estimator.documents * estimator.fraction(predicate)?.clamp(0.0, 1.0))
}

/// Estimates of one index.
struct Estimator<'i> {
    index: &'i GinIndex,
    documents: f64,
}

impl<'i> Estimator<'i> {
    fn of(index: &'i GinIndex) -> Result<Estimator<'i>> {
        let documents =
            key::EVERY.iter().try_fold(0.0, |sum, key| Ok(sum + index.estimate_key(key)?))?;
        Ok(Estimator { index, documents: f64::max(documents, 1.0) })
    }

    /// The part of the documents that meet a predicate; conditions are taken to be independent of each other.
    fn fraction(&self, predicate: &Predicate) -> Result<f64> {
        Ok(match predicate {
            Predicate::All => 1.0,
            Predicate::None => 0.0,
            Predicate::And(parts) => {
                parts.iter().try_fold(1.0, |all, part| Ok(all * self.fraction(part)?))?
            }
            Predicate::Or(parts) => {
                1.0 - parts
                    .iter()
                    .try_fold(1.0, |none, part| Ok(none * (1.0 - self.fraction(part)?)))?
            }
            Predicate::Not(part) => 1.0 - self.fraction(part)?,
            Predicate::Leaf { path: Some(path), test: Test::Exists } => {
                self.part(self.exists(path)?)
            }
            Predicate::Leaf { path: Some(path), test } => {
                self.part(self.at(PathHash::of(path), &Probe::new(test))?)
            }
            Predicate::Leaf { path: None, test: Test::Exists } => 1.0,
            Predicate::Leaf { path: None, test } => self.part(self.anywhere(&Probe::new(test))?),
        })
    }

    fn part(&self, rows: f64) -> f64 {
        (rows / self.documents).min(1.0)
    }

    /// The documents below a path are at least those that have the commonest path there; the paths are looked at up to some number.
    fn exists(&self, path: &str) -> Result<f64> {
        let (from, below) = key::ALL_PATHS;
        let (mut most, mut paths) = (self.index.estimate_key(&key::exists(path))?, 0);
        self.index.ascend(&from, &mut |key, postings| {
            if key >= below.as_slice() || paths == 50 * PATHS {
                return Ok(ControlFlow::Break(()));
            }
            paths += 1;
            if key::is_below(key, path) {
                most = postings.estimate()?.max(most);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(most)
    }

    fn at(&self, hash: PathHash, probe: &Probe) -> Result<f64> {
        probe.spans.iter().try_fold(0.0, |rows, span| Ok(rows + self.span(hash, span, probe)?))
    }

    fn span(&self, hash: PathHash, span: &Span, probe: &Probe) -> Result<f64> {
        let full = |stored: &[u8]| key::value(hash, stored);
        if let Some(value) = span.point() {
            return self.index.estimate_key(&full(value));
        }
        let (from, below) = (full(&span.from), full(&span.below));
        let all = || self.index.estimate_interval(&from, Some(&below));
        if !span.ask {
            return all();
        }
        let (mut seen, mut passing, mut keys, mut is_whole) = (0.0, 0.0, 0, true);
        self.index.ascend(&from, &mut |key, postings| {
            if key >= below.as_slice() {
                return Ok(ControlFlow::Break(()));
            }
            if keys == SAMPLE {
                is_whole = false;
                return Ok(ControlFlow::Break(()));
            }
            let rows = postings.estimate()?;
            keys += 1;
            seen += rows;
            if key::value_of(key).is_some_and(|value| probe.ask(value) != Truth::No) {
                passing += rows;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if is_whole {
            return Ok(passing);
        }
        // Where none of the sample passes, half a key may.
        Ok(all()? * (passing / seen).max(0.5 / keys as f64))
    }

    /// The paths of the index are looked at one by one, up to some number.
    fn anywhere(&self, probe: &Probe) -> Result<f64> {
        let (from, below) = key::ALL_PATHS;
        let (mut hashes, mut paths) = (Vec::new(), 0);
        self.index.ascend(&from, &mut |key, _| {
            if key >= below.as_slice() || paths == 50 * PATHS {
                return Ok(ControlFlow::Break(()));
            }
            paths += 1;
            if hashes.len() < PATHS {
                hashes.extend(key::path_hash(key));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let looked_at = hashes.len().max(1) as f64;
        let rows = hashes.iter().try_fold(0.0, |rows, hash| Ok(rows + self.at(*hash, probe)?))?;
        Ok(rows * paths as f64 / looked_at)
    }
}
