//! Lucene's regular expressions (org.apache.lucene.util.automaton.RegExp, all its operators switched on).
//!
//! They always match a whole value, and know neither anchors nor `\d`. Those without complement and intersection are
//! written out for the `regex` crates.

mod automaton;
mod dfa;
mod interval;
mod parse;
mod regex_syntax;
mod tree;

pub use dfa::DenseDfa;
pub use regex_syntax::write_char;
pub use tree::RegexpNode;

use super::dead_prefix::DeadPrefix;
use crate::parse_error::ParseError;
use automaton::Automaton;
use dfa::LazyDfa;
use parse::Parser;
use std::rc::Rc;

/// Longest expression: compiling one cannot be cancelled, and takes a tenth of a second at most.
const MAX_REGEXP_BYTES: usize = 1 << 16;

/// A regular expression, read and checked: its syntax. Clones share it.
#[derive(Debug, Clone)]
pub struct Regexp(Rc<Syntax>);

#[derive(Debug)]
struct Syntax {
    source: String,
    tree: RegexpNode,
}

/// Expressions are the same if they are written the same.
impl PartialEq for Regexp {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

/// A regular expression made ready to match.
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

/// What matches, from the fastest to the most able.
#[derive(Debug)]
enum Program {
    Dense(DenseDfa),
    Lazy(Box<LazyDfa>),
    /// What has complements or intersections.
    Automaton(Automaton),
}

impl Program {
    /// None, if the expression is too complex.
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
    /// Reads what stands between the slashes; `offset` is its place in the query.
    pub fn parse(source: &str, offset: usize) -> Result<Regexp, ParseError> {
        if source.len() > MAX_REGEXP_BYTES {
            let message = format!("a regular expression is longer than {MAX_REGEXP_BYTES} bytes");
            return Err(ParseError::too_complex(offset, message));
        }
        let tree = Parser::new(source, offset).whole()?;
        // A backslash before the closing slash would read as an escape of it where another slash follows.
        let source = match source.strip_suffix("\\\\") {
            Some(start) => format!("{start}[\\\\]"),
            None => source.to_string(),
        };
        Ok(Regexp(Rc::new(Syntax { source, tree })))
    }

    /// Makes it ready to match.
    ///
    /// # Errors
    /// `TooComplex`, if that would take too much.
    pub fn compile(&self) -> Result<CompiledRegexp, ParseError> {
        match Program::new(self.tree()) {
            Some(program) => Ok(CompiledRegexp { regexp: self.clone(), program }),
            None => Err(ParseError::too_large("the regular expression is too large")
                .with_hint("Use smaller repetition counts.")),
        }
    }

    /// As it stands between the slashes.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The expression as a tree.
    pub fn tree(&self) -> &RegexpNode {
        &self.0.tree
    }

    /// What each text begins with that matches, as far as the expression says so in plain characters.
    pub fn literal_prefix(&self) -> String {
        let mut prefix = String::new();
        write_prefix(self.tree(), &mut prefix);
        prefix
    }

    /// The same expression for a regular expression engine that searches, anchored at both ends; to be read such that
    /// `.` matches line ends. None, if it has complements or intersections.
    pub fn pattern(&self) -> Option<String> {
        regex_syntax::unanchored(self.tree()).map(|pattern| format!("^(?:{pattern})$"))
    }
}

impl CompiledRegexp {
    /// The expression that this was compiled from.
    pub fn regexp(&self) -> &Regexp {
        &self.regexp
    }

    /// Whether it matches the whole of the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.check(text) == Ok(true)
    }

    /// The same; where it can be seen, with what of the text no match begins.
    pub fn check(&self, text: &str) -> Result<bool, DeadPrefix> {
        match &self.program {
            Program::Dense(dfa) => dfa.check(text),
            Program::Lazy(lazy) => lazy.check(text),
            Program::Automaton(automaton) => automaton.check(text),
        }
    }

    /// Whether it may match a text that begins with these bytes, the last of which may be a part of a character only.
    /// False is certain.
    pub fn could_start(&self, prefix: &[u8]) -> bool {
        match &self.program {
            Program::Dense(dfa) => dfa.could_start(prefix),
            Program::Lazy(lazy) => lazy.could_start(prefix),
            Program::Automaton(automaton) => automaton.could_start(prefix),
        }
    }

    /// Bytes in memory, about.
    pub fn memory(&self) -> usize {
        match &self.program {
            Program::Dense(dfa) => dfa.memory(),
            Program::Lazy(lazy) => lazy.memory(),
            Program::Automaton(automaton) => automaton.memory(),
        }
    }
}

/// Appends what every match of the node begins with; whether that is all that it matches.
fn write_prefix(node: &RegexpNode, prefix: &mut String) -> bool {
    match node {
        RegexpNode::Empty => true,
        RegexpNode::Literal(text) => {
            prefix.push_str(text);
            true
        }
        RegexpNode::Class { negated: false, items } => match items[..] {
            [(first, last)] if first == last => {
                prefix.push(first);
                true
            }
            _ => false,
        },
        RegexpNode::Concat(parts) => parts.iter().all(|part| write_prefix(part, prefix)),
        RegexpNode::Union(branches) => {
            let mut common: Option<String> = None;
            for branch in branches {
                let mut own = String::new();
                write_prefix(branch, &mut own);
                common = Some(match common {
                    None => own,
                    Some(common) => common_prefix(&common, &own).to_string(),
                });
            }
            prefix.push_str(&common.unwrap_or_default());
            false
        }
        // Each operand is met, so that the longest of their prefixes is.
        RegexpNode::Intersection(operands) => {
            let of = |operand| {
                let mut own = String::new();
                write_prefix(operand, &mut own);
                own
            };
            let longest = operands.iter().map(of).max_by_key(String::len);
            prefix.push_str(&longest.unwrap_or_default());
            false
        }
        RegexpNode::Repeat { min: 0, max, .. } => *max == Some(0),
        RegexpNode::Repeat { node, max, .. } => write_prefix(node, prefix) && *max == Some(1),
        _ => false,
    }
}

fn common_prefix<'a>(a: &'a str, b: &str) -> &'a str {
    let differs = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b);
    let end = differs.map_or(a.len().min(b.len()), |((at, _), _)| at);
    a.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
