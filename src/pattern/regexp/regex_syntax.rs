//! Expressions in the syntax of the `regex` crates. Only what PostgreSQL's `like_regex` understands
//! as well is used.

use super::tree::RegexpNode;
use std::fmt::Write;

/// The expression without anchors. None if it has complements or intersections, which that syntax
/// does not have.
pub(super) fn unanchored(tree: &RegexpNode) -> Option<String> {
    let mut pattern = String::new();
    write_node(&mut pattern, tree)?;
    Some(pattern)
}

fn write_node(out: &mut String, node: &RegexpNode) -> Option<()> {
    match node {
        RegexpNode::Empty => out.push_str("(?:)"),
        RegexpNode::Nothing => out.push_str("[^\\x00-\\x{10ffff}]"),
        RegexpNode::AnyChar => out.push('.'),
        RegexpNode::AnyString => out.push_str(".*"),
        RegexpNode::Literal(text) => text.chars().for_each(|c| write_char(out, c)),
        RegexpNode::Class { negated, items } => {
            out.push_str(if *negated { "[^" } else { "[" });
            for (start, end) in items {
                write_char(out, *start);
                if start != end {
                    out.push('-');
                    write_char(out, *end);
                }
            }
            out.push(']');
        }
        RegexpNode::Concat(parts) => parts.iter().try_for_each(|part| write_node(out, part))?,
        RegexpNode::Union(branches) => {
            out.push_str("(?:");
            for (at, branch) in branches.iter().enumerate() {
                out.push_str(if at > 0 { "|" } else { "" });
                write_node(out, branch)?;
            }
            out.push(')');
        }
        RegexpNode::Repeat { node, min, max } => {
            out.push_str("(?:");
            write_node(out, node)?;
            // Writing to a String cannot fail.
            let _ = match (min, max) {
                (0, Some(1)) => write!(out, ")?"),
                (0, None) => write!(out, ")*"),
                (1, None) => write!(out, ")+"),
                (min, None) => write!(out, "){{{min},}}"),
                (min, Some(max)) => write!(out, "){{{min},{max}}}"),
            };
        }
        RegexpNode::Intersection(_) | RegexpNode::Complement(_) => return None,
    }
    Some(())
}

/// Writes a character so that it stands for itself, in brackets and elsewhere. (`\<` and `\>` are
/// word boundaries in the `regex` crate.)
pub fn write_char(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && !matches!(c, '_' | '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}
