//! Functions of other languages: `exists(f)`, `contains(f, "x")`, `length(f) > 3`.

use super::clauses::Typed;
use super::comparison::condition;
use super::lexer::Kind;
use super::patterns::{case_insensitive, whole_text};
use super::scanner::{Operand, Operator, Scanner};
use super::{Habit, write};

/// What a function of a path and a comparison ask for: the condition, and whether it is the
/// opposite of what is meant. None if no query says it.
fn compared(name: &str, operator: Operator, operand: &Operand) -> Option<(String, bool)> {
    use Operator as Op;
    let count = || operand.text().parse::<u32>().ok().filter(|count| *count <= 1_000);
    match name {
        "lower" | "upper" | "lcase" | "ucase" | "tolower" | "toupper" | "lowercase"
        | "uppercase" | "tolowercase" | "touppercase" => match operator {
            Op::Equal => Some((any_case(operand.text()), false)),
            Op::Matches | Op::Searches | Op::SearchesAnyCase => {
                Some((case_insensitive(&whole_text(operand.text(), false)), false))
            }
            _ => None,
        },
        "count" | "size" | "cardinality" | "arraylength" | "jsonarraylength" => {
            match (operator, count()?) {
                (Op::Greater, 0) | (Op::GreaterOrEqual, 1) => Some(("*".to_string(), false)),
                (Op::Equal | Op::LessOrEqual, 0) | (Op::Less, 1) => Some(("*".to_string(), true)),
                _ => None,
            }
        }
        "len" | "length" | "strlen" | "charlength" | "stringlength" => {
            let count = count()?;
            let times = match operator {
                Op::Greater => format!("{},", count + 1),
                Op::GreaterOrEqual => format!("{count},"),
                Op::Less => format!("0,{}", count.checked_sub(1)?),
                Op::LessOrEqual => format!("0,{count}"),
                Op::Equal => count.to_string(),
                _ => return None,
            };
            Some((format!("/.{{{times}}}/"), false))
        }
        "date" | "day" | "todate" | "datetime" | "timestamp" | "trim" | "tonumber" | "number"
        | "int" | "string" | "tostring" | "cast" | "first" | "any" => condition(operator, operand),
        "year" | "toyear" => {
            let year = operand.text().parse::<u32>().ok().filter(|y| (1000..9999).contains(y))?;
            let start = |year: u32| format!("{year}-01-01");
            let (this, next) = (start(year), start(year + 1));
            let range = match operator {
                Op::Equal => write::range(Some((&this, true)), Some((&next, false))),
                Op::Less => write::range(None, Some((&this, false))),
                Op::LessOrEqual => write::range(None, Some((&next, false))),
                Op::Greater => write::range(Some((&next, true)), None),
                Op::GreaterOrEqual => write::range(Some((&this, true)), None),
                _ => return None,
            };
            Some((range, false))
        }
        _ => None,
    }
}

/// An expression for a text in upper or lower case.
pub fn any_case(text: &str) -> String {
    let mut source = String::new();
    for c in text.chars() {
        if !c.is_alphanumeric() && c != ' ' && c != '_' {
            source.push('\\');
        }
        source.push(c);
    }
    case_insensitive(&format!("/{source}/"))
}

/// `exists(f)`, `contains(f, "x")`, `f.startsWith("x")`
pub fn function(typed: &Typed<'_>, number: usize) -> Option<Habit> {
    let clause = typed.clause(number);
    let is_not = clause.modifier.is_some_and(|at| typed.kind(at) == Some(Kind::Not));
    if !typed.is_word(number) || clause.field.is_some() || clause.modifier.is_some() && !is_not {
        return None;
    }
    let group = clause.next?;
    let opened = typed.clause(group);
    let is_call = typed.kind(opened.value) == Some(Kind::Open)
        && opened.field.is_none()
        && opened.modifier.is_none()
        && typed.span(number).end == typed.span(group).start;
    if !is_call {
        return None;
    }
    let mut span = typed.span(number).start..typed.span(group).end;
    let inside = write::inside(typed.slice(typed.span(group)));
    let mut arguments: Vec<String> = inside
        .split(',')
        .map(|argument| argument.trim().trim_matches(['"', '\'', '`']).to_string())
        .collect();
    let name = typed.value(number).to_ascii_lowercase().replace('_', "");
    let name = match name.rsplit_once('.') {
        Some((_, method)) => {
            let path = typed.value(number);
            let length = path.rfind('.')?;
            arguments.insert(0, path.get(..length)?.to_string());
            method.to_string()
        }
        None => name,
    };
    let (path, values) = arguments.split_first()?;
    if !write::is_path(path) || values.iter().any(String::is_empty) {
        return None;
    }
    let mut scanner = Scanner { text: typed.text, at: span.end };
    scanner.spaces();
    if let Some((operator, is_negative)) = scanner.sign() {
        scanner.spaces();
        let operand = scanner.operand()?;
        span.end = scanner.at;
        let edits = match compared(&name, operator, &operand) {
            Some((text, opposite)) => {
                let positive = format!("{path}:{text}");
                vec![match opposite != is_negative {
                    true => write::negated(typed, number, &positive, span.end),
                    false => (span.clone(), positive),
                }]
            }
            None => Vec::new(),
        };
        return Some(Habit {
            kind: "functions",
            shown: edits.first().map_or(span, |(place, _)| place.clone()),
            purpose: match edits.is_empty() {
                true => "SQL around session_stream can compute such a condition",
                false => "for the condition",
            },
            edits,
            means: "is read as words, as there are no functions".to_string(),
        });
    }
    let word = |value: &String| Operand::Text(value.clone());
    use Operator as Op;
    let (text, is_negative) = match (name.as_str(), values) {
        ("exists" | "isset" | "isnotnull" | "has" | "defined" | "isdefined" | "haskey", []) => {
            ("*".to_string(), false)
        }
        ("isnull" | "missing" | "notexists" | "isempty" | "ismissing" | "isundefined", []) => {
            ("*".to_string(), true)
        }
        ("in" | "anyof" | "oneof", [_, _, ..]) => {
            let values: Vec<String> = values.iter().map(|value| write::equal(value)).collect();
            (format!("({})", values.join(" OR ")), false)
        }
        ("between", [lower, upper]) => {
            (write::range(Some((lower, true)), Some((upper, true))), false)
        }
        (name, [value]) => {
            let operator = match name {
                "contains" | "instr" | "includes" | "strpos" | "matchphrase" | "has" => {
                    Op::Contains
                }
                "startswith" | "prefix" | "beginswith" => Op::Begins,
                "endswith" | "suffix" => Op::Ends,
                "like" => Op::Like,
                "ilike" => Op::LikeAnyCase,
                "match" | "matches" | "regex" | "regexp" | "regexplike" | "regexpmatch"
                | "rematch" => Op::Searches,
                "equals" | "eq" | "term" | "equal" | "is" => Op::Equal,
                "ne" | "neq" | "notequals" => Op::Equal,
                "gt" => Op::Greater,
                "gte" | "ge" => Op::GreaterOrEqual,
                "lt" => Op::Less,
                "lte" | "le" => Op::LessOrEqual,
                _ => return None,
            };
            let (text, opposite) = condition(operator, &word(value))?;
            (text, opposite != matches!(name, "ne" | "neq" | "notequals"))
        }
        _ => return None,
    };
    let positive = format!("{path}:{text}");
    let edit = match is_negative {
        true => write::negated(typed, number, &positive, span.end),
        false => (span.clone(), positive),
    };
    Some(Habit {
        kind: "functions",
        shown: edit.0.clone(),
        edits: vec![edit],
        means: "is a word and a group of words, as there are no functions".to_string(),
        purpose: "for the condition",
    })
}
