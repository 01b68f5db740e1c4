//! Lists and ranges as other languages write them: `f:a,b`, `f:(a, b)`, `f:400..500`.

use super::clauses::Typed;
use super::lexer::{self, Kind};
use super::{Habit, comparison, values, write};

/// Whether a text may be one of several words of a list.
pub fn is_item(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-.@".contains(c))
}

/// `f:a,b`, `f:a|b`, `f:a, b, c`, `error|warn`
pub fn list_in_word(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if !typed.is_word(number) {
        return None;
    }
    let clause = typed.clause(number);
    let word = typed.value(number);
    let has_field = typed.field(number).is_some();
    if !typed.is_plain {
        return None;
    }
    if let (true, Some(next)) = (word.ends_with(';'), clause.next) {
        return comma_between(typed, number, next);
    }
    let separator = [',', '|', ';'].into_iter().find(|s| word.contains(*s))?;
    let has_letter = |text: &str| text.contains(char::is_alphanumeric);
    let kept = word.get(..word.len() - 1).filter(|kept| is_item(kept) && has_letter(kept));
    if let (Some(kept), true, None) = (kept, word.ends_with(separator), clause.next) {
        let is_last = clause.field.is_some() && clause.group.is_none();
        return is_last.then(|| {
            let mut found = habit(typed, number, typed.place(clause.value), kept.to_string(), word);
            found.purpose = "without what separates";
            found
        });
    }
    if word.ends_with(separator) {
        return spaced_list(typed, number, separator);
    }
    let items: Vec<&str> = word.split(separator).collect();
    let is_decimal = |text: &&str| text.contains('.') && write::is_number(text);
    let is_list = items.iter().all(|item| is_item(item))
        // Semicolons are rarer in lists than in texts.
        && (separator != ';' || items.iter().all(|item| item.len() > 1))
        && values::grouped(word).is_none()
        && !items.iter().all(is_decimal)
        && (has_field || items.iter().all(|item| item.chars().all(char::is_alphanumeric)));
    if !is_list {
        return None;
    }
    let alternatives = items.join(" OR ");
    let place = typed.place(clause.value);
    let is_alone = clause.field.is_none() && clause.modifier.is_none();
    let instead = if is_alone { alternatives } else { format!("({alternatives})") };
    Some(habit(typed, number, place, instead, word))
}

fn habit(
    typed: &Typed<'_>,
    number: usize,
    place: std::ops::Range<usize>,
    instead: String,
    word: &str,
) -> Habit {
    Habit {
        kind: "lists",
        shown: typed.span(number).start..place.end,
        edits: vec![(place, instead)],
        means: format!("looks for the text \"{}\"", super::excerpt(word)),
        purpose: "for one of several values",
    }
}

/// `f:a, g:b` and `f:a; g:b`
fn comma_between(typed: &Typed<'_>, number: usize, next: usize) -> Option<Habit> {
    let (clause, behind) = (typed.clause(number), typed.clause(next));
    let word = typed.value(number);
    let kept = word.get(..word.len() - 1)?;
    let joins = clause.field.is_some()
        && behind.field.is_some()
        && behind.conjunction.is_none()
        && !kept.is_empty();
    let end = typed.place(clause.value).end;
    joins.then(|| Habit {
        kind: "lists",
        shown: typed.whole(number).start..typed.span(next).end,
        edits: vec![(end - 1..end, " AND".to_string())],
        means: format!("looks for the text \"{}\"", super::excerpt(word)),
        purpose: "for documents that meet both conditions",
    })
}

/// `f:a, b, c` and `error, warn`
fn spaced_list(typed: &Typed<'_>, number: usize, separator: char) -> Option<Habit> {
    let clause = typed.clause(number);
    let mut items = vec![typed.value(number).trim_end_matches(separator)];
    let (mut last, mut is_open) = (number, true);
    while is_open {
        let next = typed.clause(last).next?;
        if last == number && separator == ',' && typed.clause(next).field.is_some() {
            return comma_between(typed, number, next);
        }
        if !typed.is_bare(next) || typed.clause(next).conjunction.is_some() {
            return None;
        }
        let word = typed.value(next);
        is_open = word.ends_with(separator);
        items.push(word.trim_end_matches(separator));
        last = next;
    }
    if !items.iter().all(|item| is_item(item)) {
        return None;
    }
    let place = typed.place(clause.value).start..typed.span(last).end;
    let alternatives = items.join(" OR ");
    let instead = match clause.field {
        Some(_) => format!("({alternatives})"),
        None => alternatives,
    };
    Some(habit(typed, number, place, instead, typed.value(number)))
}

/// `f:(a, b)`
pub fn group_with_commas(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let is_group = typed.token(clause.value) == "(" && clause.field.is_some();
    if !is_group || clause.last <= clause.value || typed.kind(clause.last) == Some(Kind::Open) {
        return None;
    }
    let inside = typed.place(clause.value).end..typed.place(clause.last).start;
    let text = typed.slice(inside.clone());
    let members: Vec<usize> = typed.members(Some(number)).collect();
    let is_value = |&at: &usize| {
        let member = typed.clause(at);
        member.field.is_none()
            && member.modifier.is_none()
            && matches!(typed.value_kind(at), Some(Kind::Word | Kind::Quoted))
    };
    if members.len() < 2 || !members.iter().all(is_value) || !text.contains(',') {
        return None;
    }
    let items: Vec<&str> = text.split(',').map(str::trim).collect();
    let is_quoted =
        |item: &str| item.len() > 1 && item.starts_with(['"', '\'']) && item.ends_with(['"', '\'']);
    if items.len() < 2 || !items.iter().all(|item| is_item(item) || is_quoted(item)) {
        return None;
    }
    Some(Habit {
        kind: "lists",
        shown: typed.span(number),
        edits: vec![(inside, items.join(" OR ").replace('\'', "\""))],
        means: "looks for texts with these commas".to_string(),
        purpose: "for one of several values",
    })
}

/// `f:{a b}`, `f:{a, b}`: the conditions of an object, and all of them are words.
pub fn words_in_braces(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let closes = typed.closing(number)?;
    let field = typed.token(clause.field?);
    let members: Vec<usize> = typed.members(Some(number)).collect();
    let is_word = |&at: &usize| {
        let member = typed.clause(at);
        member.field.is_none()
            && member.last == member.value
            && matches!(typed.value_kind(at), Some(Kind::Word | Kind::Quoted))
            && typed.value(at) != "*"
            && comparison::comparison(typed, at).is_none()
    };
    if typed.token(clause.value) != "{" || members.is_empty() || !members.iter().all(is_word) {
        return None;
    }
    let place = typed.place(clause.value).start..typed.place(closes).end;
    let inside = typed.slice(place.start + 1..place.end - 1).trim();
    let is_joined = |&at: &usize| {
        let member = typed.clause(at);
        member.conjunction.is_some()
            || member.modifier.is_some()
            || ["and", "or", "not", "&", "|"]
                .iter()
                .any(|w| typed.value(at).eq_ignore_ascii_case(w))
    };
    let instead = match members.iter().any(is_joined) {
        true => format!("({inside})"),
        false => {
            let items: Vec<&str> = members.iter().flat_map(|&at| items(typed, at)).collect();
            match &items[..] {
                [] => return None,
                [one] => one.to_string(),
                _ => format!("({})", items.join(" OR ")),
            }
        }
    };
    let purpose = match members.len() == 1 && !instead.starts_with('(') {
        true => "for the value",
        false => "for one of several values",
    };
    Some(Habit {
        kind: "braces",
        shown: typed.span(number),
        edits: vec![(place, instead)],
        means: format!(
            "asks for an object at {} that holds {}",
            super::excerpt(field),
            super::excerpt(inside)
        ),
        purpose,
    })
}

/// The items of a list that a word or a quoted text holds.
fn items<'t>(typed: &Typed<'t>, number: usize) -> impl Iterator<Item = &'t str> {
    let is_quoted = typed.value_kind(number) == Some(Kind::Quoted);
    let separates = move |c: char| !is_quoted && matches!(c, ',' | '|' | ';');
    typed.value(number).split(separates).filter(|item| !item.is_empty())
}

/// `f:400 TO 500`, `f:(400 TO 500)`, `f:from 400 to 500`
pub fn range_words(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let field = clause.field?;
    let is_group = typed.kind(clause.value) == Some(Kind::Open);
    let members: Vec<usize> = match is_group {
        true => typed.members(Some(number)).take(5).collect(),
        false => std::iter::successors(Some(number), |&at| typed.clause(at).next).take(4).collect(),
    };
    let words: Vec<&str> = members
        .iter()
        .take_while(|&&at| {
            at == number && !is_group && typed.is_word(at)
                || typed.is_bare(at) && typed.clause(at).conjunction.is_none()
        })
        .map(|&at| typed.value(at))
        .collect();
    let skipped = usize::from(words.first().is_some_and(|word| word.eq_ignore_ascii_case("from")));
    let [lower, to, upper, ..] = words.get(skipped..)? else { return None };
    let is_bound = |text: &str| {
        text == "*"
            || write::is_number(text)
            || text.starts_with(|c: char| c.is_ascii_digit())
            || write::meant_time(text).is_some()
    };
    let fits = to.eq_ignore_ascii_case("to") && is_bound(lower) && is_bound(upper);
    if !fits || is_group && members.len() != 3 + skipped {
        return None;
    }
    let last = *members.get(skipped + 2)?;
    let end = if is_group { typed.span(number).end } else { typed.span(last).end };
    let place = typed.place(clause.value).start..end;
    // Braces leave out the ends.
    let is_closed = typed.token(clause.value) != "{";
    let range = write::range(Some((lower, is_closed)), Some((upper, is_closed)));
    Some(Habit {
        kind: "ranges",
        shown: typed.place(field).start..end,
        edits: vec![(place, range)],
        means: "looks for each of these words".to_string(),
        purpose: "for the range",
    })
}

/// `f:400..500`, `f:400-500`, `f:..500`
pub fn range_in_word(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let word = typed.value(number);
    if !typed.is_word(number) {
        return None;
    }
    let has_field = typed.field(number).is_some();
    let is_bound = |text: &str| {
        text.is_empty()
            || text == "*"
            || write::is_number(text)
            || text.len() > 3 && text.starts_with(|c: char| c.is_ascii_digit()) && is_item(text)
    };
    let dots = word.split_once("...").or_else(|| word.split_once(".."));
    let dashes = ['–', '—', '‐', '‑'].iter().find_map(|dash| word.split_once(*dash));
    let hyphen = word.split_once('-').filter(|(lower, upper)| {
        let plain = |text: &str| {
            !text.starts_with('0') && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit())
        };
        let value = |text: &str| text.parse::<u32>().unwrap_or(0);
        // 2024-11 is a month.
        has_field
            && plain(lower)
            && plain(upper)
            && value(lower) < value(upper)
            && !(lower.len() == 4 && upper.len() <= 2)
            // 555-1234 is a telephone number.
            && !(lower.len() == 3 && upper.len() == 4)
    });
    let (lower, upper) = dots.or(dashes).or(hyphen)?;
    if !is_bound(lower)
        || !is_bound(upper)
        || lower.len() + upper.len() == 0
        || !has_field && (lower.is_empty() || upper.is_empty())
    {
        return None;
    }
    let bound = |text| (!matches!(text, "" | "*")).then_some((text, true));
    Some(Habit {
        kind: "ranges",
        shown: typed.span(number),
        edits: vec![(typed.place(clause.value), write::range(bound(lower), bound(upper)))],
        means: format!("looks for the text \"{}\"", super::excerpt(word)),
        purpose: "for the range",
    })
}

/// `[>=5 TO 10]`, `[5 TO infinity]`, `[10 TO 5]`, `['a' TO 'b']`
pub fn bounds(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if typed.value_kind(number)? != Kind::Range {
        return None;
    }
    let clause = typed.clause(number);
    let token = typed.token(clause.value);
    let (lower, upper, _) = lexer::bounds(token)?;
    let (opens, closes) = (token.starts_with('['), token.ends_with(']'));
    let plain = |text: &str| -> Option<String> {
        let lower = text.to_lowercase();
        let text = text.trim_start_matches(['<', '>', '=']).trim_matches('\'');
        match lower.as_str() {
            "inf" | "+inf" | "-inf" | "infinity" | "+infinity" | "-infinity" | "∞" | "-∞"
            | "null" | "min" | "max" | "none" | "undefined" | "" | "now-∞" => {
                Some("*".to_string())
            }
            _ => values::grouped(text).or_else(|| Some(text.to_string())).filter(|t| !t.is_empty()),
        }
    };
    let (first, second) = (plain(lower)?, plain(upper)?);
    let is_time = |text: &str| {
        crate::syntax::DateMath::parse(text).is_none() && write::meant_time(text).is_some()
    };
    let is_changed = typed.is_plain
        && (first != lower || second != upper || is_time(&first) || is_time(&second));
    let order = |text: &str| text.parse::<i64>().ok();
    let is_reversed = typed.is_plain
        && typed.clauses.len() < 3
        && opens
        && closes
        && order(&first).zip(order(&second)).is_some_and(|(a, b)| a > b);
    if !is_changed && !is_reversed {
        return None;
    }
    let opens = opens && !lower.starts_with('>') || lower.starts_with(">=");
    let closes = closes && !upper.starts_with('<') || upper.starts_with("<=");
    let (mut low, mut high) = ((first.as_str(), opens), (second.as_str(), closes));
    if is_reversed {
        std::mem::swap(&mut low, &mut high);
    }
    let quoted = |text: &str| text.starts_with('"');
    if quoted(low.0) || quoted(high.0) {
        return None;
    }
    let means = match is_reversed {
        true => "holds nothing, because its ends are in the wrong order",
        false => "takes its ends as texts",
    };
    Some(Habit {
        kind: "ranges",
        shown: typed.span(number),
        edits: vec![(typed.place(clause.value), write::range(Some(low), Some(high)))],
        means: means.to_string(),
        purpose: "for the range",
    })
}
