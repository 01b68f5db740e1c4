//! Commands behind a pipe, as search tools for logs have them.

use super::clauses::Typed;
use super::lexer::Kind;
use super::{Habit, write};

/// Commands behind a pipe, of Splunk, Loki and Elasticsearch.
const COMMANDS: &[&str] = &[
    "stats",
    "where",
    "head",
    "tail",
    "sort",
    "table",
    "fields",
    "top",
    "rare",
    "eval",
    "dedup",
    "limit",
    "json",
    "logfmt",
    "line_format",
    "label_format",
    "unwrap",
    "count",
    "timechart",
    "chart",
    "rename",
    "rex",
    "search",
    "summarize",
    "project",
    "take",
    "extend",
    "keep",
    "grep",
    "jq",
    "wc",
    "order",
    "distinct",
    "group",
    "pattern",
    "regexp",
];

/// `error | stats count`, `error |= "timeout"`
pub fn pipeline(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let prev = clause.prev?;
    if !typed.is_bare(number) || clause.group.is_some() {
        return None;
    }
    let word = typed.value(number);
    let start = typed.span(number).start;
    if let ("|=" | "|~" | "!=", Some(next)) = (word, clause.next) {
        let text = (typed.value_kind(next)? == Kind::Quoted).then(|| typed.value(next))?;
        let text = write::unescaped(write::inside(text));
        let instead = match word {
            "|=" => format!("AND {}", write::within(true, &text, true)),
            _ => format!("AND {}", super::patterns::whole_text(&text, false)),
        };
        let place = start..typed.span(next).end;
        return Some(Habit {
            kind: "pipes",
            shown: typed.whole(prev).start..place.end,
            edits: vec![(place, instead)],
            means: format!("looks for the text \"{word}\" at every path"),
            purpose: "for documents with this in some text",
        });
    }
    let command = match word.strip_prefix('|')? {
        "" => typed.value(clause.next.filter(|&next| typed.is_bare(next))?),
        command => command,
    };
    if !COMMANDS.iter().any(|known| command.eq_ignore_ascii_case(known)) {
        return None;
    }
    Some(Habit {
        kind: "pipes",
        shown: typed.span(prev).end..typed.text.len(),
        edits: vec![(typed.span(prev).end..typed.text.len(), String::new())],
        means: "is read as words to look for, as there are no pipes".to_string(),
        purpose: "put SQL around session_stream for what comes behind it, and leave it out here",
    })
}
