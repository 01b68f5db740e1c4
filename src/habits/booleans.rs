//! AND, OR and NOT as other languages have them.

use super::clauses::Typed;
use super::lexer::{Kind, is_not, joins};
use super::{Habit, write};

/// `a and b`, `a or b`, `not a`, `a & b`
pub fn lower_case(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if !typed.is_bare(number) {
        return None;
    }
    let clause = typed.clause(number);
    let next = clause.next?;
    let place = typed.span(number);
    let word = typed.value(number);
    let follows = typed.clause(next).conjunction.is_none();
    // In "and not b" the shown part ends with b.
    let is_not = typed.is_bare(next) && typed.value(next).eq_ignore_ascii_case("not");
    let last = typed.clause(next).next.filter(|_| is_not).unwrap_or(next);
    let mut shown =
        clause.prev.map_or(place.start, |prev| typed.whole(prev).start)..typed.span(last).end;
    let (edit, purpose) = match word {
        "not" | "Not" | "nOT" if follows => {
            shown.start = place.start;
            ((place.clone(), "NOT".to_string()), "for the operator")
        }
        "xor" | "XOR" if follows && clause.conjunction.is_none() => {
            let prev = clause.prev?;
            let [a, b] = [prev, next].map(|at| typed.slice(typed.whole(at)));
            let span = typed.whole(prev).start..typed.span(next).end;
            ((span, format!("((+{a} -{b}) OR (+{b} -{a}))")), "for exactly one of both")
        }
        "but"
            if follows
                && clause.prev.is_some()
                && typed.value(next).eq_ignore_ascii_case("not") =>
        {
            ((place.clone(), "AND".to_string()), "for the operator")
        }
        _ => {
            let operator = joins(word)?;
            if clause.prev.is_none() || !follows || clause.conjunction.is_some() {
                return None;
            }
            ((place.clone(), operator.to_string()), "for the operator")
        }
    };
    let at = typed.field(number).map_or("at every path".into(), |field| format!("at {field}"));
    Some(Habit {
        kind: "operators",
        shown,
        edits: vec![edit],
        means: format!("looks for the word \"{word}\" {at}, and it joins nothing"),
        purpose,
    })
}

/// Whether a word is an operator of other languages, written as only operators are.
pub fn is_operator(word: &str) -> bool {
    other(word).is_some() || matches!(word, "XOR" | "xor")
}

/// What an operator of other languages is in Solr's, and what that is for.
fn other(word: &str) -> Option<(&'static str, &'static str)> {
    let is_near = || {
        let (name, distance) = word.split_once('/').unwrap_or((word, "1"));
        matches!(name, "NEAR" | "ONEAR" | "ADJ" | "WITHIN" | "W" | "PRE" | "N" | "FBY" | "BEFORE")
            && (name.len() > 2 || name != word)
            && distance.bytes().all(|b| b.is_ascii_digit())
    };
    match word {
        "ANDNOT" | "AND_NOT" | "BUTNOT" | "WITHOUT" | "UNLESS" | "EXCEPT" | "MINUS"
        | "EXCLUDING" => Some(("AND NOT", "for the operator")),
        "INTERSECT" | "PLUS" => Some(("AND", "for the operator")),
        "UNION" => Some(("OR", "for the operator")),
        _ if is_near() => {
            Some(("AND", "as values are whole texts that have no distance, for both"))
        }
        _ => None,
    }
}

/// `a ANDNOT b`, `a WITHOUT b`, `a NEAR/5 b`
pub fn other_operator(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let (prev, next) = (clause.prev?, clause.next?);
    let word = typed.value(number);
    let (operator, purpose) = other(word)?;
    let joins = typed.is_bare(number)
        && clause.conjunction.is_none()
        && typed.clause(next).conjunction.is_none()
        && typed.clause(next).modifier.is_none();
    joins.then(|| Habit {
        kind: "operators",
        shown: typed.whole(prev).start..typed.span(next).end,
        edits: vec![(typed.span(number), operator.to_string())],
        means: format!("looks for the word \"{word}\", and it joins nothing"),
        purpose,
    })
}

/// `a - b`, `a + b`, `! a`
pub fn lone_operator(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    if typed.value_kind(number)? != Kind::Lone
        || clause.field.is_some()
        || clause.modifier.is_some()
    {
        return None;
    }
    let next = clause.next?;
    if clause.prev.is_none() && clause.group.is_some() {
        return None;
    }
    if typed.clause(next).conjunction.is_some() || typed.clause(next).modifier.is_some() {
        return None;
    }
    let sign = typed.value(number);
    let place = typed.span(number).start..typed.span(next).start;
    let instead = match (sign, clause.prev) {
        ("+", Some(_)) => "AND ".to_string(),
        ("+", None) => String::new(),
        ("!", _) => "NOT ".to_string(),
        _ => sign.to_string(),
    };
    let start = clause.prev.map_or(place.start, |prev| typed.whole(prev).start);
    Some(Habit {
        kind: "operators",
        shown: start..typed.span(next).end,
        edits: vec![(place, instead)],
        means: format!("looks for the text \"{sign}\" too, because of the space behind it"),
        purpose: "for the operator",
    })
}

/// `a&&b`, `a||b`
pub fn joined(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if !typed.is_word(number) || !typed.is_plain {
        return None;
    }
    let word = typed.value(number);
    let operator = ["&&", "||"].into_iter().find(|operator| word.contains(operator))?;
    let is_plain = word.split(operator).all(|part| {
        !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_.-@".contains(c))
    });
    if !is_plain {
        return None;
    }
    let place = typed.place(typed.clause(number).value);
    Some(Habit {
        kind: "operators",
        shown: typed.span(number),
        edits: vec![(place, word.replace(operator, &format!(" {operator} ")))],
        means: format!("looks for the text \"{}\"", super::excerpt(word)),
        purpose: "for the operator",
    })
}

/// `a OR NOT b`
pub fn optional_negation(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let is = |at: Option<usize>, kind| at.is_some_and(|at| typed.kind(at) == Some(kind));
    let next = clause.next.map(|next| typed.clause(next).conjunction);
    let is_alternative = is(clause.conjunction, Kind::Or) && !is(next.flatten(), Kind::And)
        || clause.prev.is_none() && clause.next.is_some() && is(next.flatten(), Kind::Or);
    // In a list of numbers, a minus may belong to its number.
    let is_number =
        clause.field.is_none() && write::is_number(typed.value(number).trim_matches('"'));
    let is_simple =
        typed.is_plain && !is_number && typed.clauses.len() < 6 && !typed.text.contains(['{', '}']);
    if !is_alternative || !is(clause.modifier, Kind::Not) || !is_simple {
        return None;
    }
    let whole = typed.whole(number);
    let sign = clause.modifier.map(|at| typed.place(at))?;
    let shown = match clause.prev {
        Some(prev) => typed.whole(prev).start..whole.end,
        None => whole.start..clause.next.map_or(whole.end, |next| typed.span(next).end),
    };
    Some(Habit {
        kind: "negated alternatives",
        shown,
        edits: vec![
            (sign.clone(), format!("(*:* {}", typed.slice(sign))),
            (whole.end..whole.end, ")".to_string()),
        ],
        means: "takes what is negated away from the rest, and is no alternative to it".to_string(),
        purpose: "for all documents without it as an alternative",
    })
}

/// `a AND b OR c`, where c decides nothing, and `a AND b c`
pub fn mixture(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if typed.clause(number).prev.is_some() || !typed.is_plain || typed.clauses.len() > 12 {
        return None;
    }
    let members: Vec<usize> =
        std::iter::successors(Some(number), |&at| typed.clause(at).next).collect();
    let joined = |at: usize, kind| {
        typed.clause(at).conjunction.is_some_and(|at| typed.kind(at) == Some(kind))
    };
    let has_and = members.iter().any(|&at| joined(at, Kind::And));
    let has_or = members.iter().any(|&at| joined(at, Kind::Or));
    if !has_and {
        return None;
    }
    let is_negated = |at: usize| typed.clause(at).modifier.is_some();
    let is_required = |place: usize| {
        joined(members[place], Kind::And)
            || members.get(place + 1).is_some_and(|&next| joined(next, Kind::And))
    };
    // Where all that AND joins is negated, the rest decides.
    let is_decided = (0..members.len()).any(|at| is_required(at) && !is_negated(members[at]));
    let has = |kind| members.iter().any(|&at| typed.value_kind(at) == Some(kind));
    if !is_decided || !has_or && has(Kind::Open) || has(Kind::Lone) {
        return None;
    }
    // Words that are operators in other languages are no clauses.
    let is_word = |word: &str| joins(word).is_some() || is_not(word) || is_operator(word);
    if members.iter().any(|&at| typed.is_bare(at) && is_word(typed.value(at))) {
        return None;
    }
    let optional = (0..members.len()).find(|&at| !is_required(at) && !is_negated(members[at]))?;
    let idle = super::excerpt(typed.slice(typed.span(members[optional])));
    let edits = match has_or {
        // Parentheses around each chain of ANDs.
        true => {
            let mut edits = Vec::new();
            let mut at = 0;
            while at < members.len() {
                let mut end = at;
                while members.get(end + 1).is_some_and(|&next| joined(next, Kind::And)) {
                    end += 1;
                }
                if end > at {
                    let all_negated = (at..=end).all(|at| is_negated(members[at]));
                    let opening = if all_negated { "(*:* " } else { "(" };
                    let (start, stop) =
                        (typed.whole(members[at]).start, typed.span(members[end]).end);
                    edits.push((start..start, opening.to_string()));
                    edits.push((stop..stop, ")".to_string()));
                }
                at = end + 1;
            }
            edits
        }
        false => members
            .iter()
            .skip(1)
            .filter(|&&at| typed.clause(at).conjunction.is_none() && !is_negated(at))
            .map(|&at| (typed.whole(at).start..typed.whole(at).start, "AND ".to_string()))
            .collect(),
    };
    let last = *members.last()?;
    Some(Habit {
        kind: "mixtures of AND and OR",
        shown: typed.whole(number).start..typed.span(last).end,
        edits,
        means: format!("needs what AND joins, so that {idle} decides nothing"),
        purpose: if has_or { "for the usual precedence" } else { "to need all of it" },
    })
}
