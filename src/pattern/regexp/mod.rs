//! Lucene's regular expressions (org.apache.lucene.util.automaton.RegExp with all operators
//! enabled).
//!
//! They always match a whole value, and have neither anchors nor `\d` (but see `lucene9`). Expressions without
//! complement and intersection are translated for the `regex` crates; the others have an automaton
//! of their own.

mod automaton;
mod dfa;
mod interval;
mod literal_prefix;
mod lucene9;
mod parse;
mod regex_syntax;
mod tree;

pub use dfa::DenseDfa;
pub use lucene9::to_lucene_8;
pub use regex_syntax::write_char;
pub use tree::RegexpNode;

use super::dead_prefix::DeadPrefix;
use crate::parse_error::ParseError;
use automaton::Automaton;
use dfa::LazyDfa;
use parse::Parser;
use std::rc::Rc;

/// The longest expression, in bytes: 64 kB. Compiling cannot be cancelled, and takes at most a
/// tenth of a second for this length.
const MAX_REGEXP_BYTES: usize = 1 << 16;

/// A regular expression whose syntax was read and checked, but which is not compiled yet. Clones
/// share the syntax tree.
#[derive(Debug, Clone)]
pub struct Regexp(Rc<Syntax>);

#[derive(Debug)]
struct Syntax {
    source: String,
    tree: RegexpNode,
}

/// Expressions are equal if their sources are equal.
impl PartialEq for Regexp {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

/// A regular expression that is ready to match.
#[derive(Debug)]
pub struct CompiledRegexp {
    regexp: Regexp,
    program: Program,
}

impl PartialEq for CompiledRegexp {
    fn eq(&self, other: &Self) -> bool {
        self.regexp == other.regexp
    }
}

impl std::ops::Deref for CompiledRegexp {
    type Target = Regexp;

    fn deref(&self) -> &Regexp {
        &self.regexp
    }
}

/// What matches texts, from the fastest to the one that can do most.
#[derive(Debug)]
enum Program {
    Dense(DenseDfa),
    Lazy(Box<LazyDfa>),
    /// For complements and intersections.
    Automaton(Automaton),
}

impl Program {
    /// None if the expression is too complex.
    fn new(tree: &RegexpNode) -> Option<Program> {
        let Some(pattern) = regex_syntax::unanchored(tree) else {
            return Automaton::new(tree).map(Program::Automaton);
        };
        let nfa = dfa::large_nfa(&pattern)?;
        match DenseDfa::from_nfa(&nfa) {
            Some(dfa) => Some(Program::Dense(dfa)),
            None => LazyDfa::new(nfa).map(|lazy| Program::Lazy(Box::new(lazy))),
        }
    }
}

impl Regexp {
    /// Reads the text between the slashes. `offset` is its position in the query.
    ///
    /// # Errors
    /// `Syntax`, and `TooComplex` beyond one of the limits.
    pub fn parse(source: &str, offset: usize) -> Result<Regexp, ParseError> {
        if source.len() > MAX_REGEXP_BYTES {
            let message = format!("a regular expression is longer than {MAX_REGEXP_BYTES} bytes");
            return Err(ParseError::too_complex(offset, message));
        }
        let tree = Parser::new(source, offset).whole()?;
        // Written again, an escaped backslash at the end would seem to escape the closing slash if
        // another slash follows. In brackets it does not.
        let source = match source.strip_suffix("\\\\") {
            Some(start) => format!("{start}[\\\\]"),
            None => source.to_string(),
        };
        Ok(Regexp(Rc::new(Syntax { source, tree })))
    }

    /// Makes the expression ready to match.
    ///
    /// # Errors
    /// `TooComplex` if that would take too much time or memory.
    pub fn compile(&self) -> Result<CompiledRegexp, ParseError> {
        match Program::new(self.tree()) {
            Some(program) => Ok(CompiledRegexp { regexp: self.clone(), program }),
            None => Err(ParseError::too_large("the regular expression is too large")
                .with_hint("Use smaller repetition counts.")),
        }
    }

    /// The text between the slashes.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The syntax tree.
    pub fn tree(&self) -> &RegexpNode {
        &self.0.tree
    }

    /// What each match begins with, as far as the expression says so in plain characters.
    pub fn literal_prefix(&self) -> String {
        literal_prefix::literal_prefix(self.tree())
    }

    /// The same expression for an engine that searches within a text: anchored at both ends. `.`
    /// must match line ends there. None if the expression has complements or intersections.
    pub fn pattern(&self) -> Option<String> {
        regex_syntax::unanchored(self.tree()).map(|pattern| format!("^(?:{pattern})$"))
    }
}

impl CompiledRegexp {
    /// The expression that was compiled.
    pub fn regexp(&self) -> &Regexp {
        &self.regexp
    }

    /// Whether it matches the whole text.
    pub fn is_match(&self, text: &str) -> bool {
        self.check(text) == Ok(true)
    }

    /// Whether it matches the whole text. The error is the beginning of the text that no match has,
    /// if there is one.
    pub fn check(&self, text: &str) -> Result<bool, DeadPrefix> {
        match &self.program {
            Program::Dense(dfa) => dfa.check(text),
            Program::Lazy(lazy) => lazy.check(text),
            Program::Automaton(automaton) => automaton.check(text),
        }
    }

    /// Whether a text that begins with these bytes may match. The last character may be incomplete.
    /// False is certain, true is not.
    pub fn could_start(&self, prefix: &[u8]) -> bool {
        match &self.program {
            Program::Dense(dfa) => dfa.could_start(prefix),
            Program::Lazy(lazy) => lazy.could_start(prefix),
            Program::Automaton(automaton) => automaton.could_start(prefix),
        }
    }

    /// About how many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        match &self.program {
            Program::Dense(dfa) => dfa.memory(),
            Program::Lazy(lazy) => lazy.memory(),
            Program::Automaton(automaton) => automaton.memory(),
        }
    }
}

#[cfg(test)]
mod tests;
