//! A query with a date in place of `NOW`, for a server whose clock and transaction are others.

use super::ast::{Ast, Bound, LeafQuery, Occur};
use super::date_math::DateMath;
use chrono::{DateTime, SecondsFormat, Utc};

impl Ast {
    /// The query that means at any time what this one means at `now`.
    #[must_use]
    pub fn at(&self, now: DateTime<Utc>) -> Ast {
        let at = |query: &Ast| Box::new(query.at(now));
        match self {
            Ast::All => Ast::All,
            Ast::Condition { path, query } => {
                let condition = |query| Ast::Condition { path: path.clone(), query };
                match (query, query.at(now)) {
                    // A string may be the very text.
                    (LeafQuery::Equal(text), at) if at != *query => Ast::Boolean(vec![
                        (Occur::Should, condition(at)),
                        (Occur::Should, condition(LeafQuery::Fuzzy(text.clone(), 0))),
                    ]),
                    (_, at) => condition(at),
                }
            }
            Ast::Object { path, query } => Ast::Object { path: path.clone(), query: at(query) },
            Ast::Boolean(clauses) => Ast::Boolean(
                clauses.iter().map(|(occur, clause)| (*occur, clause.at(now))).collect(),
            ),
            Ast::Boost(query, boost) => Ast::Boost(at(query), *boost),
            Ast::Constant(query, score) => Ast::Constant(at(query), *score),
            Ast::Filter(query) => Ast::Filter(at(query)),
        }
    }

    /// Whether the query has another meaning at another time.
    #[must_use]
    pub fn depends_on_now(&self) -> bool {
        *self != self.at(DateTime::UNIX_EPOCH)
    }
}

impl LeafQuery {
    fn at(&self, now: DateTime<Utc>) -> LeafQuery {
        match self {
            LeafQuery::Equal(text) => LeafQuery::Equal(value(text, now)),
            LeafQuery::Range { lower, upper } => {
                LeafQuery::Range { lower: bound(lower, now), upper: bound(upper, now) }
            }
            other => other.clone(),
        }
    }
}

fn bound(bound: &Bound, now: DateTime<Utc>) -> Bound {
    match bound {
        Bound::Open => Bound::Open,
        Bound::Inclusive(text) => Bound::Inclusive(value(text, now)),
        Bound::Exclusive(text) => Bound::Exclusive(value(text, now)),
    }
}

/// A date without steps would be compared as text, too, which `NOW` is not.
fn value(text: &str, now: DateTime<Utc>) -> String {
    let starts_now = DateMath::parse(text).is_some_and(|math| math.start.is_none());
    match text.strip_prefix("NOW").filter(|_| starts_now) {
        None => text.to_string(),
        Some(steps) => {
            let date = now.to_rfc3339_opts(SecondsFormat::Micros, true);
            format!("{date}{}", if steps.is_empty() { "+0MILLISECONDS" } else { steps })
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::predicate::lower;
    use crate::syntax::parse;
    use chrono::{DateTime, TimeDelta, Utc};

    #[test]
    fn means_at_any_time_what_it_means_now() {
        let now: DateTime<Utc> = "2024-03-31T13:14:15.678912Z".parse().unwrap();
        for text in [
            "a:[NOW-1DAY/DAY TO NOW]",
            "a:{2023 TO NOW/MONTH+1MONTH}",
            "+a:[* TO NOW] -b:(x OR [NOW+1HOUR TO *])^2",
            "a.b:{c:[NOW-7DAYS TO *] AND d:NOWHERE} filter(e:{NOW/DAY TO *])^=3",
            "a:now-playing OR b:2024-03-31",
        ] {
            let ast = parse(text).unwrap();
            let fixed = parse(&ast.at(now).to_string()).unwrap();
            let later = lower(&fixed, now + TimeDelta::days(400)).unwrap().predicate;
            // The texts of the values differ, and nothing that is compared with a document.
            let shown = |predicate| without_texts(&format!("{predicate:?}"));
            let at_once = lower(&ast, now).unwrap().predicate;
            assert_eq!(shown(&later), shown(&at_once), "{text}");
            assert!(!fixed.to_string().contains("NOW") || text.contains("NOWHERE"), "{fixed}");
            assert_eq!(fixed.at(now), fixed);
        }
    }

    #[test]
    fn a_string_may_be_the_text_itself() {
        let now: DateTime<Utc> = "2024-03-31T13:14:15.678912Z".parse().unwrap();
        for (text, at_now) in [
            ("a:NOW", r#"a:"2024-03-31T13:14:15.678912Z+0MILLISECONDS" a:NOW~0"#),
            (
                r#"+a:{b:"NOW-1DAY/DAY"}"#,
                r#"+a:{b:"2024-03-31T13:14:15.678912Z-1DAY/DAY" b:NOW\-1DAY\/DAY~0}"#,
            ),
        ] {
            let fixed = parse(text).unwrap().at(now);
            assert_eq!(fixed.to_string(), at_now);
            assert_eq!(parse(at_now).unwrap(), fixed);
            assert_eq!(fixed.at(now), fixed);
        }
    }

    /// A calculated value is not compared as text.
    fn without_texts(shown: &str) -> String {
        let values: Vec<&str> = shown.split("Value { text: ").collect();
        let cut = |(at, value): (usize, &&str)| match value.contains("is_calculated: true") {
            true if at > 0 => value
                .find(", number:")
                .and_then(|end| value.get(end..))
                .unwrap_or(value)
                .to_string(),
            _ => (*value).to_string(),
        };
        values.iter().enumerate().map(cut).collect::<Vec<_>>().join("Value")
    }
}
