//! Predicate × one document: for a query that is asked once, where making a [`Matcher`](super::Matcher) would take longer than to
//! go along each path by itself.

use super::{Predicate, Test};
use crate::document::{Container, Item, Leaf, Scratch};
use crate::interrupts;
use smallvec::SmallVec;

/// So many leaves a predicate may have to be asked so: each looks at the document anew.
const FEW: usize = 8;

impl Predicate {
    /// Whether asking a single document is quicker without preparation.
    pub fn is_small(&self) -> bool {
        fn leaves(predicate: &Predicate, left: usize) -> Option<usize> {
            match predicate {
                Predicate::All | Predicate::None => Some(left),
                Predicate::Leaf { .. } => left.checked_sub(1),
                Predicate::Not(part) => leaves(part, left.checked_sub(1)?),
                Predicate::And(parts) | Predicate::Or(parts) => {
                    parts.iter().try_fold(left.checked_sub(1)?, |left, part| leaves(part, left))
                }
            }
        }
        leaves(self, 2 * FEW).is_some()
    }

    /// Whether the document meets the condition; for small ones.
    pub fn matches_once<'a>(&self, document: impl Container<'a>) -> bool {
        match self {
            Predicate::All => true,
            Predicate::None => false,
            Predicate::And(parts) => parts.iter().all(|part| part.matches_once(document)),
            Predicate::Or(parts) => parts.iter().any(|part| part.matches_once(document)),
            Predicate::Not(part) => !part.matches_once(document),
            Predicate::Leaf { path: Some(path), test } => any_at(document, path, test),
            Predicate::Leaf { path: None, test } => any(document, test),
        }
    }
}

/// Whether some leaf at the path, or below it if that is what is asked, passes. Keeps its own stack, as all walks do.
fn any_at<'a, C: Container<'a>>(document: C, path: &str, test: &Test) -> bool {
    let mut scratch = Scratch::new();
    // Containers, each with what is left of the path: none in arrays at its end.
    let mut open: SmallVec<[(C, Option<&str>); 8]> = SmallVec::new();
    open.push((document, Some(path)));
    while let Some((container, rest)) = open.pop() {
        interrupts::spend(1);
        // A document that is a lone scalar, or an array of some, has leaves at the empty path.
        let is_here = rest.is_none_or(|rest| rest.is_empty() && path.is_empty());
        for item in container.elements() {
            match item {
                Item::Leaf(leaf) if is_here && passes(leaf, test, &mut scratch) => return true,
                Item::Container(inner) => open.push((inner, rest)),
                _ => {}
            }
        }
        let Some(rest) = rest else { continue };
        let mut visit = |key: &str, item: Item<'a, C>| {
            let Some(behind) = rest.strip_prefix(key) else {
                // A key that goes on behind the path with a dot is below it.
                let is_below = *test == Test::Exists
                    && key.strip_prefix(rest).is_some_and(|more| more.starts_with('.'));
                return is_below && has_leaf(item);
            };
            let ends = behind.is_empty();
            match (item, behind.strip_prefix('.')) {
                (item, _) if ends && *test == Test::Exists => return has_leaf(item),
                (Item::Leaf(leaf), _) if ends => return passes(leaf, test, &mut scratch),
                (Item::Container(inner), _) if ends => open.push((inner, None)),
                (Item::Container(inner), Some(behind)) => open.push((inner, Some(behind))),
                _ => {}
            }
            false
        };
        let found = match container.has_dotted_key() {
            true => container.members().any(|(key, item)| visit(key, item)),
            false => {
                let key = rest.split_once('.').map_or(rest, |(key, _)| key);
                container.member(key).is_some_and(|item| visit(key, item))
            }
        };
        if found {
            return true;
        }
    }
    false
}

/// Whether any leaf passes.
fn any<'a, C: Container<'a>>(document: C, test: &Test) -> bool {
    let mut scratch = Scratch::new();
    let mut open: SmallVec<[C; 16]> = SmallVec::new();
    open.push(document);
    while let Some(container) = open.pop() {
        for item in container.elements().chain(container.members().map(|(_, item)| item)) {
            match item {
                Item::Leaf(leaf) if passes(leaf, test, &mut scratch) => return true,
                Item::Container(inner) => open.push(inner),
                _ => {}
            }
        }
    }
    false
}

fn has_leaf<'a, C: Container<'a>>(item: Item<'a, C>) -> bool {
    match item {
        Item::Null => false,
        Item::Leaf(_) => true,
        Item::Container(inner) => any(inner, &Test::Exists),
    }
}

fn passes(leaf: Leaf<'_>, test: &Test, scratch: &mut Scratch) -> bool {
    leaf.scalar(scratch).is_some_and(|leaf| test.accepts(&leaf))
}
