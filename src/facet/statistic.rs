//! Statistics as a request writes them: `sum(a.b)`, `percentile(a.b,50,99)`.

use crate::document::Decimal;
use crate::error::{Error, Result};

/// What is asked of the values at a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistic {
    /// Which figure.
    pub kind: Kind,
    /// The path of the values.
    pub path: String,
}

/// A figure of some values.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// The sum of the numbers.
    Sum,
    /// Their mean.
    Avg,
    /// The sum of their squares.
    Sumsq,
    /// Their variance, of the whole population.
    Variance,
    /// The square root of that.
    Stddev,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// How many different values there are.
    Unique,
    /// How many values there are: one with several documents counts for each.
    Countvals,
    /// How many documents have no value.
    Missing,
    /// For each of these percentages: the first number that so much of the numbers do not exceed.
    Percentile(Vec<f64>),
}

/// Aggregations that Solr has and this library does not.
const UNSUPPORTED: [&str; 8] =
    ["count", "relatedness", "uniqueBlock", "topdocs", "stdev", "agg", "min_max", "unique_block"];

/// How many percentages one statistic may ask for.
const MAX_PERCENTILES: usize = 100;

impl Statistic {
    /// Refuses too many percentiles.
    pub fn check_percentiles(count: usize, place: &str) -> Result<()> {
        if count <= MAX_PERCENTILES {
            return Ok(());
        }
        let problem = format!("there are more than {MAX_PERCENTILES} percentiles");
        Err(Error::Request { place: place.to_string(), problem })
    }

    /// Reads a statistic. `place` says where it stands in the request.
    pub fn parse(text: &str, place: &str) -> Result<Statistic> {
        let wrong = |problem: String| Error::Request { place: place.to_string(), problem };
        let malformed =
            || wrong(format!("\"{text}\" is no statistic; expected one like \"sum(path)\""));
        let (name, rest) = text.trim().split_once('(').ok_or_else(malformed)?;
        let arguments = rest.strip_suffix(')').ok_or_else(malformed)?;
        let unsupported = |what: String| Error::Unsupported { place: place.to_string(), what };
        let name = name.trim();
        let kind = match name {
            "sum" => Kind::Sum,
            "avg" => Kind::Avg,
            "sumsq" => Kind::Sumsq,
            "variance" => Kind::Variance,
            "stddev" => Kind::Stddev,
            "min" => Kind::Min,
            "max" => Kind::Max,
            "unique" | "hll" => Kind::Unique,
            "countvals" => Kind::Countvals,
            "missing" => Kind::Missing,
            "percentile" => Kind::Percentile(Vec::new()),
            _ if UNSUPPORTED.contains(&name) => {
                return Err(unsupported(format!("the statistic {name}()")));
            }
            _ => return Err(unsupported(format!("the function {name}()"))),
        };
        let (path, arguments) = path(arguments).ok_or_else(malformed)?;
        if path.is_empty() {
            return Err(wrong(format!("{name}() needs a path")));
        }
        let is_quoted = rest.trim_start().starts_with(['"', '\'']);
        if !is_quoted && let Some(what) = other_argument(&path) {
            return Err(unsupported(format!("{what} {path} (a path like that is put in quotes)")));
        }
        if path.contains(')') && !is_quoted {
            return Err(malformed());
        }
        let mut percentages = Vec::new();
        for argument in arguments {
            match argument.trim().parse::<f64>() {
                Ok(percentage) if (0.0..=100.0).contains(&percentage) => {
                    percentages.push(percentage);
                }
                _ => {
                    let argument = argument.trim();
                    return Err(wrong(match kind {
                        Kind::Percentile(_) => {
                            format!("a percentile is a number from 0 to 100, not \"{argument}\"")
                        }
                        _ => format!("{name}() takes one path"),
                    }));
                }
            }
        }
        let kind = match kind {
            Kind::Percentile(_) if percentages.is_empty() => {
                return Err(wrong("percentile() takes a path and percentages".to_string()));
            }
            Kind::Percentile(_) => {
                Statistic::check_percentiles(percentages.len(), place)?;
                Kind::Percentile(percentages)
            }
            kind if percentages.is_empty() => kind,
            _ => return Err(wrong(format!("{name}() takes one path"))),
        };
        Ok(Statistic { kind, path })
    }
}

/// What Solr takes an argument for that is no field (FunctionQParser.parseValueSource).
fn other_argument(text: &str) -> Option<&'static str> {
    match text.chars().next()? {
        _ if text.contains('(') => Some("the function"),
        '$' => Some("the parameter"),
        '{' => Some("the local parameters"),
        _ if matches!(text, "true" | "false") || Decimal::parse(text).is_some() => {
            Some("the constant")
        }
        _ => None,
    }
}

/// The path, which may be in quotes, and the arguments behind it.
fn path(arguments: &str) -> Option<(String, Vec<&str>)> {
    let text = arguments.trim_start();
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let mut parts = arguments.split(',');
        let path = parts.next()?.trim().to_string();
        return Some((path, parts.collect()));
    };
    let (mut path, mut escaped, mut chars) = (String::new(), false, text.char_indices().skip(1));
    loop {
        let (at, c) = chars.next()?;
        if !escaped && c == quote {
            let rest = text.get(at + c.len_utf8()..)?.trim_start();
            if rest.is_empty() {
                return Some((path, Vec::new()));
            }
            return Some((path, rest.strip_prefix(',')?.split(',').collect()));
        }
        escaped = !escaped && c == '\\';
        if !escaped {
            path.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Statistic> {
        Statistic::parse(text, "facet.x")
    }

    #[test]
    fn reads_statistics() {
        let statistic = |kind, path: &str| Statistic { kind, path: path.to_string() };
        assert_eq!(parsed("sum(a.b)").unwrap(), statistic(Kind::Sum, "a.b"));
        assert_eq!(parsed(" hll( _m1.ip ) ").unwrap(), statistic(Kind::Unique, "_m1.ip"));
        assert_eq!(parsed(r#"min("a b,(c)")"#).unwrap(), statistic(Kind::Min, "a b,(c)"));
        let percentile = Kind::Percentile(vec![50.0, 99.9]);
        assert_eq!(parsed("percentile(a, 50,99.9)").unwrap(), statistic(percentile, "a"));
        assert_eq!(parsed(r#"sum("2024")"#).unwrap(), statistic(Kind::Sum, "2024"));
        assert_eq!(parsed("max(a-1.$b)").unwrap(), statistic(Kind::Max, "a-1.$b"));
    }

    #[test]
    fn refuses_all_others() {
        for text in [
            "",
            "sum",
            "sum(",
            "sum()",
            "sum(a))",
            "sum(a,b)",
            "percentile(a)",
            "percentile(a,101)",
        ] {
            assert!(matches!(parsed(text), Err(Error::Request { .. })), "{text}");
        }
        // Solr adds up constants and parameters for each document.
        for text in [
            "relatedness($a,$b)",
            "sum(mul(a,b))",
            "nothing(a)",
            "count()",
            "sum(1)",
            "sum( -2.5 )",
            "unique($path)",
            "min(true)",
            "max({!func}a)",
        ] {
            assert!(matches!(parsed(text), Err(Error::Unsupported { .. })), "{text}");
        }
    }
}
