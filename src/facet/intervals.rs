//! Which documents satisfy which of some predicates, where the documents are read one by one.
//!
//! The buckets of a histogram are as many predicates, but their intervals follow each other: those
//! in which a value lies are found by binary search. So a document takes little more time with a
//! thousand buckets than with one.

use crate::document::{Jsonb, Scratch};
use crate::matcher::Matcher;
use crate::predicate::{Limit, Predicate, Test};
use roaring::RoaringBitmap;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Predicates, each with the numbers of the documents that satisfy it.
#[derive(Default)]
pub struct PredicateRows<'p> {
    /// Where the documents of a predicate are, by its address.
    places: HashMap<*const Predicate, Place>,
    runs: Vec<Run<'p>>,
    others: Vec<(&'p Predicate, Matcher, RoaringBitmap)>,
}

#[derive(Clone, Copy)]
enum Place {
    Run(usize, usize),
    Other(usize),
}

/// Intervals at a path that follow each other.
struct Run<'p> {
    path: &'p str,
    intervals: Vec<(Interval<'p>, RoaringBitmap)>,
}

/// An interval of numbers, or of instants and the milliseconds that they are. Its lower end is below
/// its upper one.
struct Interval<'p> {
    predicate: &'p Predicate,
    lower: &'p Limit,
    upper: &'p Limit,
}

impl<'p> Interval<'p> {
    /// The path and the interval of a predicate. None if it is none, or if texts compare with it.
    fn of(predicate: &'p Predicate) -> Option<(&'p str, Interval<'p>)> {
        let Predicate::Condition {
            path: Some(path),
            test: Test::Range { lower: Some(lower), upper: Some(upper) },
        } = predicate
        else {
            return None;
        };
        let is_interval = [lower, upper].into_iter().all(is_point) && is_below(lower, upper, false);
        is_interval.then_some((path, Interval { predicate, lower, upper }))
    }
}

/// Whether a limit is a single number or a single instant, and not compared with texts.
fn is_point(limit: &Limit) -> bool {
    let value = &limit.value;
    value.is_calculated
        && value.boolean.is_none()
        && value.ordered.as_ref().is_some_and(|number| number.end.is_none())
        && value.instants.is_none_or(|instants| instants.end.is_none())
}

/// Whether a limit is below another one, or also equal to it. An instant and a number are neither.
fn is_below(a: &Limit, b: &Limit, or_equal: bool) -> bool {
    let (instants, others) = (a.value.instants, b.value.instants);
    let instants = match instants.zip(others) {
        Some((a, b)) => Some(a.first.cmp(&b.first)),
        None if instants.is_none() && others.is_none() => None,
        None => return false,
    };
    let numbers = a.value.ordered.as_ref().zip(b.value.ordered.as_ref());
    let numbers = numbers.map(|(a, b)| a.first.cmp(&b.first));
    let mut found = instants.into_iter().chain(numbers);
    found.all(|order| order == Ordering::Less || or_equal && order == Ordering::Equal)
}

impl<'p> PredicateRows<'p> {
    /// For some predicates. Buckets stand in the order of their intervals.
    pub fn new(predicates: &[&'p Predicate]) -> PredicateRows<'p> {
        let mut rows = PredicateRows::default();
        let mut open: Vec<&'p Predicate> = Vec::new();
        for &predicate in predicates {
            crate::interrupts::spend(16);
            let follows = open.last().is_none_or(|last| follows(last, predicate));
            if !follows {
                rows.add(&open);
                open.clear();
            }
            open.push(predicate);
        }
        rows.add(&open);
        rows
    }

    /// Adds predicates that follow each other, or one.
    fn add(&mut self, predicates: &[&'p Predicate]) {
        let intervals: Vec<_> = predicates.iter().filter_map(|p| Interval::of(p)).collect();
        if predicates.len() > 1
            && intervals.len() == predicates.len()
            && let Some(&(path, _)) = intervals.first()
        {
            for (number, predicate) in predicates.iter().enumerate() {
                self.places
                    .insert(std::ptr::from_ref(*predicate), Place::Run(self.runs.len(), number));
            }
            let intervals = intervals.into_iter().map(|(_, i)| (i, RoaringBitmap::new())).collect();
            self.runs.push(Run { path, intervals });
            return;
        }
        for predicate in predicates {
            self.places.insert(std::ptr::from_ref(*predicate), Place::Other(self.others.len()));
            self.others.push((predicate, Matcher::new(predicate), RoaringBitmap::new()));
        }
    }

    /// Takes a document, which has a number.
    pub fn push(&mut self, document: Jsonb<'_>, number: u32) {
        for (_, matcher, rows) in &mut self.others {
            if matcher.matches(document) {
                rows.insert(number);
            }
        }
        let mut scratch = Scratch::new();
        for Run { path, intervals } in &mut self.runs {
            document.leaves_at(path, &mut |leaf| {
                let Some(leaf) = leaf.scalar(&mut scratch) else { return };
                // Two neighbours may have the edge between them in common.
                let first = intervals.partition_point(|(i, _)| !i.upper.admits_from_above(&leaf));
                for (interval, rows) in intervals.get_mut(first..).unwrap_or_default() {
                    if !interval.lower.admits_from_below(&leaf) {
                        break;
                    }
                    rows.insert(number);
                }
            });
        }
    }

    /// The documents that satisfy a predicate, or one that is equal to it.
    pub fn get(&self, predicate: &Predicate) -> Option<&RoaringBitmap> {
        let place = self.places.get(&std::ptr::from_ref(predicate)).copied();
        self.at(place.or_else(|| self.find(predicate))?)
    }

    fn find(&self, predicate: &Predicate) -> Option<Place> {
        if let Some((path, wanted)) = Interval::of(predicate) {
            for (number, run) in self.runs.iter().enumerate().filter(|(_, run)| run.path == path) {
                let is_before = |(i, _): &(Interval<'_>, _)| is_below(i.lower, wanted.lower, false);
                let place = Place::Run(number, run.intervals.partition_point(is_before));
                if self.predicate(place) == Some(predicate) {
                    return Some(place);
                }
            }
        }
        self.others.iter().position(|(known, ..)| *known == predicate).map(Place::Other)
    }

    fn predicate(&self, place: Place) -> Option<&'p Predicate> {
        match place {
            Place::Run(run, number) => {
                self.runs.get(run)?.intervals.get(number).map(|(interval, _)| interval.predicate)
            }
            Place::Other(number) => self.others.get(number).map(|(predicate, ..)| *predicate),
        }
    }

    fn at(&self, place: Place) -> Option<&RoaringBitmap> {
        match place {
            Place::Run(run, number) => {
                self.runs.get(run)?.intervals.get(number).map(|(_, rows)| rows)
            }
            Place::Other(number) => self.others.get(number).map(|(.., rows)| rows),
        }
    }
}

/// Whether both are intervals at one path, and the second begins where the first ends or behind it.
fn follows(first: &Predicate, second: &Predicate) -> bool {
    match (Interval::of(first), Interval::of(second)) {
        (Some((path, first)), Some((other, second))) => {
            path == other && is_below(first.upper, second.lower, true)
        }
        _ => false,
    }
}
