//! Small expressions as one table over bytes, which takes a step for each byte of a text and nothing else.

use super::Dead;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

/// The largest table that is worth its making: simple expressions take a tenth of it.
const MAX_BYTES: usize = 1 << 16;

/// The table, and the state to start in.
#[derive(Debug, Clone)]
pub struct Table {
    dfa: Box<dense::DFA<Vec<u32>>>,
    start: StateID,
}

impl Table {
    /// A table for the `regex` crates' syntax, in which `.` matches line ends. None, if it would be too large.
    pub fn new(pattern: &str) -> Option<Table> {
        let limit = Some(MAX_BYTES);
        let config = dense::Config::new()
            .start_kind(StartKind::Anchored)
            // A shorter alternative must not end the search for a longer one.
            .match_kind(MatchKind::All)
            .accelerate(false)
            .dfa_size_limit(limit)
            .determinize_size_limit(limit);
        let dfa = dense::Builder::new()
            .configure(config)
            .thompson(thompson::Config::new().nfa_size_limit(limit))
            .syntax(syntax::Config::new().dot_matches_new_line(true))
            .build(pattern)
            .ok()?;
        let start = dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).ok()?;
        Some(Table { dfa: Box::new(dfa), start })
    }

    /// Whether it matches the whole of the text.
    pub fn check(&self, text: &str) -> Result<bool, Dead> {
        let state = self.run(text.as_bytes())?;
        Ok(self.dfa.is_match_state(self.dfa.next_eoi_state(state)))
    }

    /// Whether it may match a text that begins with these bytes. False is certain.
    pub fn could_start(&self, prefix: &[u8]) -> bool {
        self.run(prefix).is_ok()
    }

    /// The state behind the bytes.
    fn run(&self, bytes: &[u8]) -> Result<StateID, Dead> {
        let mut state = self.start;
        for (at, &byte) in bytes.iter().enumerate() {
            state = self.dfa.next_state(state, byte);
            if self.dfa.is_dead_state(state) {
                return Err(Dead(at + 1));
            }
        }
        Ok(state)
    }
}
