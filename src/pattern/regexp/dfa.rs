//! Expressions in the syntax of the `regex` crates, as deterministic automata (DFAs) over bytes:
//! they take one step for each byte of a text. Small ones are dense DFAs, which are built
//! completely. Larger ones are lazy DFAs, whose states are built when they are reached.

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

/// The largest dense DFA for one expression, in bytes: building a larger one takes more time than
/// it saves. Simple expressions take a tenth of it.
const MAX_DFA_BYTES: usize = 1 << 16;
/// The largest dense DFA for several expressions, in bytes. It is built only if many texts are
/// matched, so it may be larger.
const MAX_UNION_DFA_BYTES: usize = 1 << 20;
/// The largest nondeterministic automaton (NFA), in bytes. Larger expressions are refused.
const MAX_NFA_BYTES: usize = 10 << 20;
/// How many bytes of states a lazy DFA keeps.
const MAX_CACHE_BYTES: usize = 1 << 17;
/// How many bytes of a text are matched between two checks for interrupts.
const CHUNK_BYTES: usize = 1 << 12;

/// The NFA from which both kinds of DFA are built. None if it would be larger than `limit` bytes.
fn nfa(pattern: &str, limit: usize) -> Option<NFA> {
    interrupts::check();
    // `(?-u:.)` matches any byte, also within a character, so the automaton need not respect UTF-8.
    // All texts are valid UTF-8.
    let syntax = syntax::Config::new().dot_matches_new_line(true).utf8(false);
    let tree = syntax::parse_with(pattern, &syntax).ok()?;
    interrupts::check();
    let config =
        thompson::Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(limit));
    thompson::Compiler::new().configure(config).build_from_hir(&tree).ok()
}

/// The NFA of an expression that may be too large for a dense DFA.
pub(super) fn large_nfa(pattern: &str) -> Option<NFA> {
    nfa(pattern, MAX_NFA_BYTES)
}

/// A dense DFA and its start state.
#[derive(Debug, Clone)]
pub struct DenseDfa {
    dfa: Box<dense::DFA<Vec<u32>>>,
    start: StateID,
}

impl DenseDfa {
    /// The DFA of an expression in the syntax of the `regex` crates. `.` matches line ends. None if
    /// it would be too large.
    pub fn new(pattern: &str) -> Option<DenseDfa> {
        DenseDfa::from_nfa(&nfa(pattern, MAX_DFA_BYTES)?)
    }

    /// One DFA that matches what any of several expressions matches. Expressions that end in `.*`
    /// should be given without it and be matched by [`DenseDfa::matches_prefix`]. Otherwise the DFA
    /// has a state for each set of expressions whose beginning was found.
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

    /// Whether it matches the whole text. The error is the beginning of the text that no match has,
    /// if there is one.
    pub fn check(&self, text: &str) -> Result<bool, DeadPrefix> {
        let state = self.run(text.as_bytes())?;
        Ok(self.dfa.is_match_state(self.dfa.next_eoi_state(state)))
    }

    /// Whether it matches any beginning of the text.
    pub fn matches_prefix(&self, text: &str) -> Result<bool, DeadPrefix> {
        let mut state = self.start;
        for (number, chunk) in text.as_bytes().chunks(CHUNK_BYTES).enumerate() {
            for (at, &byte) in chunk.iter().enumerate() {
                state = self.dfa.next_state(state, byte);
                if self.dfa.is_special_state(state) {
                    // The automaton reports a match one byte after its end.
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

    /// Whether a text that begins with these bytes may match. False is certain, true is not.
    pub fn could_start(&self, prefix: &[u8]) -> bool {
        self.run(prefix).is_ok()
    }

    /// How many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        size_of::<dense::DFA<Vec<u32>>>() + self.dfa.memory_usage()
    }

    /// The state after the bytes.
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

/// A DFA whose states are built when they are reached, for expressions that are too large for
/// [`DenseDfa`].
#[derive(Debug)]
pub(super) struct LazyDfa {
    dfa: DFA,
    /// The states that were built, as far as there is room for them.
    cache: RefCell<Cache>,
}

impl LazyDfa {
    pub(super) fn new(nfa: NFA) -> Option<LazyDfa> {
        let config = Config::new()
            .match_kind(MatchKind::All)
            .cache_capacity(MAX_CACHE_BYTES)
            // A cache that is too small for all states makes matching slow, but not wrong.
            .skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let cache = RefCell::new(dfa.create_cache());
        Some(LazyDfa { dfa, cache })
    }

    /// Whether it matches the whole text. The error is the beginning of the text that no match has,
    /// if there is one.
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

    /// The state after the bytes. None if the cache gave up, which it does only if it is configured
    /// to do so (`Config::minimum_cache_clear_count`).
    fn run(&self, bytes: &[u8], cache: &mut Cache) -> Result<Option<LazyStateID>, DeadPrefix> {
        let anchored = start::Config::new().anchored(Anchored::Yes);
        let Ok(mut state) = self.dfa.start_state(cache, &anchored) else { return Ok(None) };
        for (at, &byte) in bytes.iter().enumerate() {
            // To build a state takes time in proportion to the size of the automaton.
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
