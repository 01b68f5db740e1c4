//! Numeric intervals such as `<1-99>`, written as an expression over digits
//! (org.apache.lucene.util.automaton.Automata, `makeDecimalInterval`).

use super::literal_prefix::common_prefix;
use super::tree::RegexpNode;

/// The numbers from `min` to `max`, both included. They have exactly `digits` digits or, without
/// `digits`, any number of leading zeros. `digits` is not less than the digits of `max`.
pub(super) fn numbers(min: u32, max: u32, digits: Option<usize>) -> RegexpNode {
    if let Some(digits) = digits {
        return between(&format!("{min:0digits$}"), &format!("{max:0digits$}"));
    }
    let length = |number: u32| number.to_string().len();
    let of_length = |length: usize| {
        let least = if length > 1 { 10u64.pow(length as u32 - 1) } else { 0 };
        let most = 10u64.pow(length as u32) - 1;
        between(&least.max(min.into()).to_string(), &most.min(max.into()).to_string())
    };
    let zero = RegexpNode::Literal("0".to_string());
    let zeros = RegexpNode::Repeat { node: Box::new(zero), min: 0, max: None };
    RegexpNode::Concat(vec![
        zeros,
        RegexpNode::Union((length(min)..=length(max)).map(of_length).collect()),
    ])
}

/// The numbers from `least` to `most`, which are written with the same number of digits.
fn between<'n>(least: &'n str, most: &'n str) -> RegexpNode {
    let start = common_prefix(least, most);
    let mut parts = vec![RegexpNode::Literal(start.to_string())];
    let behind = |number: &'n str| {
        let mut digits = number.strip_prefix(start).unwrap_or_default().chars();
        digits.next().map(|first| (first, digits.as_str()))
    };
    if let (Some((first, least)), Some((last, most))) = (behind(least), behind(most)) {
        let after = |digit: char, rest: RegexpNode| {
            RegexpNode::Concat(vec![RegexpNode::Literal(digit.to_string()), rest])
        };
        // The first digits that any other digits may follow.
        let mut whole = first as u8..=last as u8;
        let mut branches = Vec::new();
        if least.contains(|digit| digit != '0') {
            branches.push(after(first, between(least, &"9".repeat(least.len()))));
            whole = first as u8 + 1..=*whole.end();
        }
        let mut end = None;
        if most.contains(|digit| digit != '9') {
            end = Some(after(last, between(&"0".repeat(most.len()), most)));
            whole = *whole.start()..=last as u8 - 1;
        }
        if !whole.is_empty() {
            let first = digit(char::from(*whole.start()), char::from(*whole.end()));
            branches.push(match least.len() as u32 {
                0 => first,
                count => {
                    let rest = Box::new(digit('0', '9'));
                    let rest = RegexpNode::Repeat { node: rest, min: count, max: Some(count) };
                    RegexpNode::Concat(vec![first, rest])
                }
            });
        }
        branches.extend(end);
        parts.push(RegexpNode::Union(branches));
    }
    RegexpNode::Concat(parts)
}

/// One digit of a range.
fn digit(first: char, last: char) -> RegexpNode {
    RegexpNode::Class { negated: false, items: vec![(first, last)] }
}
