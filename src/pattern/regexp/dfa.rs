//! Expressions in the `regex` crates' syntax as automata over bytes, which take a step for each byte of a text and nothing
//! else: small ones as one table, all others as one that is made while it is used.

use crate::interrupts;
use crate::pattern::dead_prefix::DeadPrefix;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};
use std::cell::RefCell;

/// The largest table that is worth its making: simple expressions take a tenth of it.
const MAX_DFA_BYTES: usize = 1 << 16;
/// The largest table for several expressions at once, which is made for many texts.
const MAX_UNION_DFA_BYTES: usize = 1 << 20;
/// The largest automaton that is made at all.
const MAX_NFA_BYTES: usize = 10 << 20;
/// So much of a table that is made while it is used is kept.
const MAX_CACHE_BYTES: usize = 1 << 17;
/// So many bytes are looked at between two questions whether to go on.
const CHUNK_BYTES: usize = 1 << 12;

/// The nondeterministic automaton that both are made of. None, if it would be too large.
fn nfa(pattern: &str, limit: usize) -> Option<NFA> {
    interrupts::check();
    // Expressions may say that bytes are of no matter (`(?-u:.)`), and texts are valid.
    let syntax = syntax::Config::new().dot_matches_new_line(true).utf8(false);
    let tree = syntax::parse_with(pattern, &syntax).ok()?;
    interrupts::check();
    let config =
        thompson::Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(limit));
    thompson::Compiler::new().configure(config).build_from_hir(&tree).ok()
}

/// As [`nfa`], of an expression of any size.
pub(super) fn large_nfa(pattern: &str) -> Option<NFA> {
    nfa(pattern, MAX_NFA_BYTES)
}

/// The table, and the state to start in.
#[derive(Debug, Clone)]
pub struct DenseDfa {
    dfa: Box<dense::DFA<Vec<u32>>>,
    start: StateID,
}

impl DenseDfa {
    /// A table for the `regex` crates' syntax, in which `.` matches line ends. None, if it would be too large.
    pub fn new(pattern: &str) -> Option<DenseDfa> {
        DenseDfa::from_nfa(&nfa(pattern, MAX_DFA_BYTES)?)
    }

    /// One table for all that several expressions match. Those that end in what matches anything had better be without that end,
    /// and be asked by `begins`: else the table has a state for each set of them that was met.
    pub fn union(patterns: impl IntoIterator<Item = String>) -> Option<DenseDfa> {
        let branches: Vec<String> =
            patterns.into_iter().map(|pattern| format!("(?:{pattern})")).collect();
        DenseDfa::within(&nfa(&branches.join("|"), MAX_UNION_DFA_BYTES)?, MAX_UNION_DFA_BYTES)
    }

    pub(super) fn from_nfa(nfa: &NFA) -> Option<DenseDfa> {
        DenseDfa::within(nfa, MAX_DFA_BYTES)
    }

    fn within(nfa: &NFA, limit: usize) -> Option<DenseDfa> {
        if nfa.memory_usage() > limit {
            return None;
        }
        interrupts::check();
        let limit = Some(limit);
        let config = dense::Config::new()
            .start_kind(StartKind::Anchored)
            // A shorter alternative must not end the search for a longer one.
            .match_kind(MatchKind::All)
            .accelerate(false)
            .dfa_size_limit(limit)
            .determinize_size_limit(limit);
        let dfa = dense::Builder::new().configure(config).build_from_nfa(nfa).ok()?;
        let start = dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).ok()?;
        Some(DenseDfa { dfa: Box::new(dfa), start })
    }

    /// Whether it matches the whole of the text.
    pub fn check(&self, text: &str) -> Result<bool, DeadPrefix> {
        let state = self.run(text.as_bytes())?;
        Ok(self.dfa.is_match_state(self.dfa.next_eoi_state(state)))
    }

    /// Whether it matches what the text begins with, however long that is.
    pub fn matches_prefix(&self, text: &str) -> Result<bool, DeadPrefix> {
        let mut state = self.start;
        for (number, chunk) in text.as_bytes().chunks(CHUNK_BYTES).enumerate() {
            for (at, &byte) in chunk.iter().enumerate() {
                state = self.dfa.next_state(state, byte);
                if self.dfa.is_special_state(state) {
                    // A match is seen one byte behind its end.
                    if self.dfa.is_match_state(state) {
                        return Ok(true);
                    }
                    if self.dfa.is_dead_state(state) {
                        return Err(DeadPrefix(number * CHUNK_BYTES + at + 1));
                    }
                }
            }
            interrupts::spend(chunk.len() / 16);
        }
        Ok(self.dfa.is_match_state(self.dfa.next_eoi_state(state)))
    }

    /// Whether it may match a text that begins with these bytes. False is certain.
    pub fn could_start(&self, prefix: &[u8]) -> bool {
        self.run(prefix).is_ok()
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        size_of::<dense::DFA<Vec<u32>>>() + self.dfa.memory_usage()
    }

    /// The state behind the bytes.
    fn run(&self, bytes: &[u8]) -> Result<StateID, DeadPrefix> {
        let mut state = self.start;
        for (number, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
            for (at, &byte) in chunk.iter().enumerate() {
                state = self.dfa.next_state(state, byte);
                if self.dfa.is_dead_state(state) {
                    return Err(DeadPrefix(number * CHUNK_BYTES + at + 1));
                }
            }
            interrupts::spend(chunk.len() / 16);
        }
        Ok(state)
    }
}

/// What would make too large a table.
#[derive(Debug)]
pub(super) struct LazyDfa {
    dfa: DFA,
    /// The states that were reached, as far as there is room for them.
    cache: RefCell<Cache>,
}

impl LazyDfa {
    pub(super) fn new(nfa: NFA) -> Option<LazyDfa> {
        let config = Config::new()
            .match_kind(MatchKind::All)
            .cache_capacity(MAX_CACHE_BYTES)
            // One that has no room for some states is slow, but right.
            .skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let cache = RefCell::new(dfa.create_cache());
        Some(LazyDfa { dfa, cache })
    }

    /// Whether it matches the whole of the text.
    pub(super) fn check(&self, text: &str) -> Result<bool, DeadPrefix> {
        let cache = &mut *self.cache.borrow_mut();
        let state = self.run(text.as_bytes(), cache)?;
        let end = state.and_then(|state| self.dfa.next_eoi_state(cache, state).ok());
        Ok(end.is_some_and(|end| end.is_match()))
    }

    pub(super) fn could_start(&self, prefix: &[u8]) -> bool {
        self.run(prefix, &mut self.cache.borrow_mut()).is_ok()
    }

    pub(super) fn memory(&self) -> usize {
        self.dfa.memory_usage() + MAX_CACHE_BYTES
    }

    /// The state behind the bytes. None is if the cache gave up, which it does only where it is told to
    /// (`Config::minimum_cache_clear_count`).
    fn run(&self, bytes: &[u8], cache: &mut Cache) -> Result<Option<LazyStateID>, DeadPrefix> {
        let anchored = start::Config::new().anchored(Anchored::Yes);
        let Ok(mut state) = self.dfa.start_state(cache, &anchored) else { return Ok(None) };
        for (at, &byte) in bytes.iter().enumerate() {
            // A new state takes as long as the automaton is large.
            if at % 64 == 0 {
                interrupts::check();
            }
            let Ok(next) = self.dfa.next_state(cache, state, byte) else { return Ok(None) };
            if next.is_dead() {
                return Err(DeadPrefix(at + 1));
            }
            state = next;
        }
        Ok(Some(state))
    }
}
