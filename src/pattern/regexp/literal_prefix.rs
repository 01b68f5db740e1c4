//! The plain characters that all matches of an expression begin with.

use super::tree::RegexpNode;

/// What each match begins with, as far as the expression says so in plain characters.
pub(super) fn literal_prefix(tree: &RegexpNode) -> String {
    let mut prefix = String::new();
    write_prefix(tree, &mut prefix);
    prefix
}

/// Appends what each match of the node begins with. Returns whether the node matches nothing else,
/// so that the prefix may go on behind it.
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
                let own = literal_prefix(branch);
                common = Some(match common {
                    None => own,
                    Some(common) => common_prefix(&common, &own).to_string(),
                });
            }
            prefix.push_str(&common.unwrap_or_default());
            false
        }
        // All operands must match, so the longest of their prefixes holds.
        RegexpNode::Intersection(operands) => {
            let longest = operands.iter().map(literal_prefix).max_by_key(String::len);
            prefix.push_str(&longest.unwrap_or_default());
            false
        }
        RegexpNode::Repeat { min: 0, max, .. } => *max == Some(0),
        RegexpNode::Repeat { node, max, .. } => write_prefix(node, prefix) && *max == Some(1),
        RegexpNode::Class { negated: true, .. }
        | RegexpNode::Nothing
        | RegexpNode::AnyChar
        | RegexpNode::AnyString
        | RegexpNode::Complement(_) => false,
    }
}

/// What both texts begin with.
pub(super) fn common_prefix<'a>(a: &'a str, b: &str) -> &'a str {
    let differs = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b);
    let end = differs.map_or(a.len().min(b.len()), |((at, _), _)| at);
    a.get(..end).unwrap_or_default()
}
