//! Parts of SQL statements that are no conditions.

use super::Habit;
use super::clauses::Typed;
use super::{comparison, write};

fn is_word(typed: &Typed<'_>, number: Option<usize>, word: &str) -> bool {
    number.is_some_and(|at| typed.is_bare(at) && typed.value(at).eq_ignore_ascii_case(word))
}

/// `SELECT … WHERE …`, `WHERE …`, `FROM … | WHERE …`, `process where …`
pub fn statement(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if number != 0 {
        return None;
    }
    let members: Vec<usize> = typed.members(None).take(64).collect();
    let is = |at: usize, word| is_word(typed, Some(at), word);
    let has_where = members.iter().any(|&at| is(at, "where"));
    let is_select = is(0, "select") && members.iter().any(|&at| is(at, "from"));
    // ES|QL, and EQL's `process where …`. Plain words have no condition behind "where".
    let compares = |&at: &usize| {
        typed.clause(at).field.is_some() || comparison::comparison(typed, at).is_some()
    };
    let is_second = members.get(1).is_some_and(|&at| is(at, "where"));
    let is_other = is(0, "from") && has_where || is_second && members.get(2).is_some_and(compares);
    if !is_select && !is_other && !is(0, "where") {
        return None;
    }
    let condition =
        members.iter().position(|&at| is(at, "where")).and_then(|at| members.get(at + 1));
    let edit = match condition {
        Some(&condition) => (0..typed.whole(condition).start, String::new()),
        None if is_select => (0..typed.text.len(), "*:*".to_string()),
        None => return None,
    };
    Some(Habit {
        kind: "statements",
        shown: 0..typed.text.len(),
        edits: vec![edit],
        means: "is read as words to look for: a query is a condition alone".to_string(),
        purpose: "for its condition",
    })
}

/// `… ORDER BY f`, `… LIMIT 10`, `… -- comment`, `…;`
pub fn trailer(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let place = typed.place(clause.value);
    let word = match clause.modifier.map(|at| typed.place(at)) {
        // Two signs before a space: NOT, and a minus for a word
        Some(sign) if sign.end == place.start => typed.slice(sign.start..place.end),
        _ => typed.value(number),
    };
    if clause.group.is_some() || !typed.is_word(number) && word != "--" {
        return None;
    }
    let is_last = typed.text.get(place.end..).is_some_and(|rest| rest.trim().is_empty());
    if word.ends_with(';') && is_last && (clause.field.is_some() || word == ";") {
        return Some(Habit {
            kind: "statements",
            shown: typed.span(number),
            edits: vec![(place.end - 1..place.end, String::new())],
            means: "looks for a text with the semicolon".to_string(),
            purpose: "without it",
        });
    }
    let prev = clause.prev?;
    let follows = |word| is_word(typed, clause.next, word);
    let has_number = clause.next.is_some_and(|next| write::is_number(typed.value(next)));
    let is_comment = matches!(word, "--" | "#") && clause.field.is_none() && clause.next.is_some();
    let is_trailer = is_comment
        || typed.is_bare(number)
            && match word.to_ascii_lowercase().as_str() {
                "order" | "group" | "sort" => follows("by"),
                "limit" | "offset" => has_number,
                _ => false,
            };
    if !is_trailer {
        return None;
    }
    Some(Habit {
        kind: "statements",
        shown: typed.span(prev).end..typed.text.len(),
        edits: vec![(typed.span(prev).end..typed.text.len(), String::new())],
        means: "is read as words to look for".to_string(),
        purpose: match is_comment {
            true => "comments stand between /* and */; leave it out here",
            false => {
                "use the arguments sort, start and rows of session_query instead, and leave it out here"
            }
        },
    })
}
