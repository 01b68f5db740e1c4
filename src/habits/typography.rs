//! Characters that word processors, chats and input methods put in the place of others.

use super::Habit;
use super::clauses::Typed;
use super::lexer::Kind;

/// “Ann Lee”, ‘Ann Lee’, «Ann Lee»
pub fn quotes(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    if typed.value_kind(number)? != Kind::Word {
        return None;
    }
    let start = typed.place(typed.clause(number).value).start;
    let rest = typed.text.get(start..)?;
    let opening = rest.chars().next()?;
    if !matches!(opening, '“' | '”' | '„' | '‟' | '‘' | '‚' | '«' | '»' | '「' | '＂' | '″' | '＇')
    {
        return None;
    }
    let behind = rest.get(opening.len_utf8()..)?;
    let closes = |c: char| {
        matches!(c, '“' | '”' | '‟' | '’' | '‘' | '«' | '»' | '」' | '＂' | '″' | '"' | '＇')
    };
    let (at, closing) = behind.char_indices().find(|&(_, c)| closes(c))?;
    let text = behind.get(..at)?;
    let end = start + opening.len_utf8() + at + closing.len_utf8();
    Some(Habit {
        kind: "quotes",
        shown: typed.span(number).start..end,
        edits: vec![(start..end, format!("\"{}\"", text.replace('"', "\\\"")))],
        means: "has quotes that are characters like others".to_string(),
        purpose: "for the text in them",
    })
}

/// What a character stands in the place of; none for characters that stand for themselves.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => " ",
        '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => "",
        '：' => ":",
        '（' => "(",
        '）' => ")",
        '＊' => "*",
        '？' => "?",
        '＝' => "=",
        '＞' => ">",
        '＜' => "<",
        '！' => "!",
        '［' => "[",
        '］' => "]",
        '｛' => "{",
        '｝' => "}",
        '＋' => "+",
        '－' | '−' => "-",
        '～' => "~",
        '＆' => "&",
        '｜' => "|",
        '／' => "/",
        '“' | '”' | '„' | '＂' => "\"",
        _ => return None,
    })
}

/// Full-width signs, no-break spaces, and dashes for operators.
pub fn characters(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let field = clause.field.map(|field| typed.place(field));
    let place = typed.place(clause.value);
    let places =
        field.into_iter().chain((typed.value_kind(number)? == Kind::Word).then_some(place));
    for place in places {
        let word = typed.slice(place.clone());
        if word.is_ascii() {
            continue;
        }
        let is_wide_operator = matches!(word, "ＡＮＤ" | "ＯＲ" | "ＮＯＴ");
        let begins_with_dash = word.starts_with(['–', '—', '‐', '‑']);
        // In a text of another script these signs are at home, but for spaces.
        let is_ascii =
            |c: char| c.is_ascii() || plain(c).is_some() || begins_with_dash && "–—‐‑".contains(c);
        let is_space = |c: char| matches!(plain(c), Some(" " | ""));
        let at_edge = word.starts_with(is_space) || word.ends_with(is_space);
        let changes =
            is_wide_operator || begins_with_dash || word.contains(|c: char| plain(c).is_some());
        let is_meant = is_wide_operator
            || word.chars().all(is_ascii)
            || at_edge
            || word.split(['：']).next().is_some_and(|path| {
                word.contains('：') && super::write::is_path(path) && path.is_ascii()
            })
            || word.contains(['\u{a0}', '\u{202f}']);
        if !changes || !is_meant {
            continue;
        }
        let meant: String = match word {
            "ＡＮＤ" => "AND".into(),
            "ＯＲ" => "OR".into(),
            "ＮＯＴ" => "NOT".into(),
            _ => word
                .char_indices()
                .map(|(at, c)| match plain(c) {
                    Some(plain) => plain.to_string(),
                    None if at == 0 && begins_with_dash => "-".to_string(),
                    None => c.to_string(),
                })
                .collect(),
        };
        // Behind a field, a minus is a part of the number.
        let is_value = clause.field.is_some() && place == typed.place(clause.value);
        let meant =
            if is_value && meant.starts_with('-') { super::write::equal(&meant) } else { meant };
        return Some(Habit {
            kind: "characters",
            shown: typed.span(number),
            edits: vec![(place, meant)],
            means: "has a character that only looks like a sign or a space of a query".to_string(),
            purpose: "with the sign itself",
        });
    }
    None
}
