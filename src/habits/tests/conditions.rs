//! Conditions of SQL, joined in all ways: the query to write instead means what SQL would.

use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A condition on the path `_`, and a value that meets it and one that does not; null is none.
const CONDITIONS: &[(&str, &str, &str)] = &[
    ("_:click", r#""click""#, r#""view""#),
    ("_=click", r#""click""#, r#""view""#),
    ("_ = 5", "5", "6"),
    ("_ == 'click'", r#""click""#, r#""view""#),
    ("_ = true", "true", "false"),
    ("_ != 5", "6", "5"),
    ("_!=click", r#""view""#, r#""click""#),
    ("_ <> 'a b'", r#""a""#, r#""a b""#),
    ("_ > 5", "6", "5"),
    ("_>=5", "5", "4"),
    ("_ < 5", "4", "5"),
    ("_ <= 5", "5", "6"),
    ("_ LIKE 'Z%'", r#""Zoe""#, r#""Ann""#),
    ("_ like 'Z%'", r#""Zoe""#, r#""Ann""#),
    ("_ NOT LIKE 'Z%'", r#""Ann""#, r#""Zoe""#),
    ("_ ILIKE 'z%'", r#""Zoe""#, r#""Ann""#),
    ("_ IN ('a', 'b')", r#""b""#, r#""c""#),
    ("_ in (1, 2)", "2", "3"),
    ("_ NOT IN ('a', 'b')", r#""c""#, r#""b""#),
    ("_ BETWEEN 3 AND 8", "8", "9"),
    ("_ between 3 and 8", "3", "2"),
    ("_ NOT BETWEEN 3 AND 8", "9", "8"),
    ("_ IS NULL", "null", "1"),
    ("_ is null", "null", "1"),
    ("_ IS NOT NULL", "1", "null"),
    ("exists(_)", "1", "null"),
];

/// What joins conditions; and whether it is an AND.
const JOINS: &[(&str, bool)] = &[
    (" AND ", true),
    (" and ", true),
    (" && ", true),
    (" OR ", false),
    (" or ", false),
    (" || ", false),
];
const NEGATIONS: &[&str] = &["", "", "", "NOT ", "not "];
const TRAILERS: &[&str] = &["", "", " limit 5", " LIMIT 5", " order by a desc"];
/// Which conditions stand in parentheses, from one to another.
const GROUPS: &[Option<(usize, usize)>] = &[None, Some((0, 1)), Some((1, 2)), Some((0, 2))];

#[derive(Debug, Clone)]
struct Typing {
    conditions: Vec<(usize, &'static str)>,
    joins: Vec<(&'static str, bool)>,
    group: Option<(usize, usize)>,
    group_negation: &'static str,
    trailer: &'static str,
}

impl Typing {
    fn text(&self) -> String {
        self.written(&|at, negation| (CONDITIONS[at].0.to_string(), negation.to_string()), true)
    }

    /// The same of what each condition alone is to be written as.
    fn composed(&self) -> String {
        let alone = |at: usize, negation: &str| {
            let condition = CONDITIONS[at].0;
            let instead = advise(condition).instead.unwrap_or(condition.to_string());
            match (instead.strip_prefix('-'), negation) {
                (Some(positive), "") => (format!("(*:* -{positive})"), String::new()),
                (Some(positive), _) => (positive.to_string(), String::new()),
                (None, _) => (instead, negation.to_uppercase()),
            }
        };
        self.written(&alone, false)
    }

    fn written(&self, one: &dyn Fn(usize, &str) -> (String, String), as_typed: bool) -> String {
        let mut text = String::new();
        for (at, (condition, negation)) in self.conditions.iter().enumerate() {
            if at > 0 {
                text += match self.joins[at - 1] {
                    (join, _) if as_typed => join,
                    (_, is_and) => {
                        if is_and {
                            " AND "
                        } else {
                            " OR "
                        }
                    }
                };
            }
            if self.group.is_some_and(|(first, _)| first == at) {
                text += &one(0, self.group_negation).1;
                text.push('(');
            }
            let (condition, negation) = one(*condition, negation);
            text += &negation;
            text += &condition.replace('_', path(at));
            if self.group.is_some_and(|(_, last)| last == at) {
                text.push(')');
            }
        }
        if as_typed { text + self.trailer } else { text }
    }

    /// Whether Solr may take something away from alternatives, or from nothing within parentheses,
    /// which is noticed in short queries alone.
    fn takes_away(&self) -> bool {
        let is_negated = self.conditions.iter().any(|(_, negation)| !negation.is_empty())
            || !self.group_negation.is_empty();
        let has_or = self.joins.iter().any(|(_, is_and)| !is_and);
        // Beside an expression, AND and OR are left to those who know Solr.
        let has_regexp = self.conditions.iter().any(|(at, _)| CONDITIONS[*at].0.contains("ILIKE"));
        is_negated && (self.group.is_some() || has_or) || has_regexp && has_or
    }

    /// What SQL says where the conditions are met or not.
    fn is_met(&self, met: &[bool]) -> bool {
        let mut terms: Vec<bool> = (self.conditions.iter().zip(met))
            .map(|((_, negation), met)| met ^ !negation.is_empty())
            .collect();
        let mut joins: Vec<bool> = self.joins.iter().map(|join| join.1).collect();
        if let Some((first, last)) = self.group {
            let inside = of_sql(&terms[first..=last], &joins[first..last]);
            terms.splice(first..=last, [inside ^ !self.group_negation.is_empty()]);
            joins.drain(first..last);
        }
        of_sql(&terms, &joins)
    }

    fn document(&self, met: &[bool]) -> Value {
        let mut document = Map::new();
        for (at, ((condition, _), met)) in self.conditions.iter().zip(met).enumerate() {
            let (_, meets, fails) = CONDITIONS[*condition];
            let value: Value = serde_json::from_str(if *met { meets } else { fails }).unwrap();
            document.insert(path(at).to_string(), value);
        }
        document.retain(|_, value| !value.is_null());
        json!(document)
    }
}

fn path(at: usize) -> &'static str {
    ["a", "b", "c"][at]
}

/// AND binds more closely.
fn of_sql(terms: &[bool], joins: &[bool]) -> bool {
    let (mut any, mut all) = (false, terms[0]);
    for (term, is_and) in terms[1..].iter().zip(joins) {
        (any, all) = if *is_and { (any, all && *term) } else { (any || all, *term) };
    }
    any || all
}

fn check(typing: &Typing) -> Result<(), String> {
    let text = typing.text();
    let instead = match (advise(&text).instead, syntax::parse(&text)) {
        (Some(instead), _) => instead,
        (None, Ok(_)) => text.clone(),
        (None, Err(error)) => {
            repairs(&text, &error).first().cloned().ok_or(format!("{text}: none"))?
        }
    };
    let composed = typing.composed();
    let composed = rewrite(&composed).unwrap_or(composed);
    let now = "2024-03-31T12:00:00Z".parse().expect("an instant");
    let predicate = |query: &str| {
        let ast = syntax::parse(query).map_err(|_| format!("{text}: {query} is an error"))?;
        lower(&ast, now).map(|lowered| lowered.predicate).map_err(|_| format!("{text}: {query}"))
    };
    let (predicate, composed) = (predicate(&instead)?, predicate(&composed)?);
    let (mut is_sql, mut is_composed) = (true, typing.takes_away());
    for bits in 0..1 << typing.conditions.len() {
        let met: Vec<bool> = (0..typing.conditions.len()).map(|at| bits >> at & 1 == 1).collect();
        let document = typing.document(&met);
        let found = predicate.matches(&document);
        is_sql &= found == typing.is_met(&met);
        is_composed &= found == composed.matches(&document);
    }
    match is_sql || is_composed {
        true => Ok(()),
        false => Err(format!("{text}: {instead}")),
    }
}

fn typing() -> impl Strategy<Value = Typing> {
    let condition = (0..CONDITIONS.len(), proptest::sample::select(NEGATIONS));
    (
        proptest::collection::vec(condition, 1..=3),
        proptest::collection::vec(proptest::sample::select(JOINS), 2),
        proptest::sample::select(GROUPS),
        proptest::sample::select(NEGATIONS),
        proptest::sample::select(TRAILERS),
    )
        .prop_map(|(conditions, mut joins, group, group_negation, trailer)| {
            joins.truncate(conditions.len() - 1);
            let group = group.filter(|(_, last)| *last < conditions.len());
            Typing { conditions, joins, group, group_negation, trailer }
        })
}

#[test]
fn pairs_mean_what_sql_says() {
    let mut wrong = Vec::new();
    for first in 0..CONDITIONS.len() {
        for second in 0..CONDITIONS.len() {
            for (number, join) in JOINS.iter().enumerate() {
                let typing = Typing {
                    conditions: vec![(first, ""), (second, "")],
                    joins: vec![*join],
                    group: None,
                    group_negation: "",
                    trailer: TRAILERS[(first + second + number) % TRAILERS.len()],
                };
                wrong.extend(check(&typing).err());
            }
        }
    }
    assert_eq!(wrong.len(), 0, "{:#?}", &wrong[..wrong.len().min(40)]);
}

/// What each of two conditions is to be written as is told of that condition alone.
#[test]
fn conditions_are_told_one_by_one() {
    for (typed, told, whole) in [
        ("a:x AND b > 5", "write b:{5 TO *].", "a:x AND b:{5 TO *]"),
        ("a:x AND b LIKE 'Z%'", "write b:Z*.", "a:x AND b:Z*"),
        ("a:x OR b BETWEEN 3 AND 8", "write b:[3 TO 8].", "a:x OR b:[3 TO 8]"),
        ("a:x and exists(b)", "write b:*.", "a:x AND b:*"),
        ("b IS NOT NULL AND a:x", "write b:*.", "b:* AND a:x"),
    ] {
        let notices = advise(typed).notices;
        assert!(notices.iter().any(|notice| notice.ends_with(told)), "{notices:?}");
        assert_eq!(notices.last(), Some(&format!("The whole query is then {whole}")));
    }
}

proptest! {
    // The same ones in each run.
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        rng_seed: proptest::test_runner::RngSeed::Fixed(2_026),
        ..ProptestConfig::default()
    })]

    #[test]
    fn conditions_mean_what_sql_says(typing in typing()) {
        let said = check(&typing);
        prop_assert!(said.is_ok(), "{said:?}");
    }
}
