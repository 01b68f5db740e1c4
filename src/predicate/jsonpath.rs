//! Predicate to SQL/JSON path, for `doc @? path`.
//!
//! Each condition becomes `exists($."a"."b" ? (…))` in lax mode, in which arrays unwrap. Two rules
//! of JSON path decide the form. A comparison of different types is *unknown*, so a negation stands
//! before `exists`, which is never unknown, and not before a comparison. And two elements of an
//! array may together satisfy `$.a >= 1 && $.a <= 5`, so both ends of a range stand in one filter.
//! (PostgreSQL: src/backend/utils/adt/jsonpath_exec.c.)
//!
//! A condition on one object is a filter on it, in which `@` is the object: `exists($."a" ?
//! (@.type() == "object" && …))`.
//!
//! A JSON path does not reach a key that has a dot in it, nor an array directly within an array.

use super::value::{Limit, Value};
use super::{ObjectCondition, Predicate, Test, Visitor};
use crate::pattern::{self, RegexpNode};

/// The longest pattern, in bytes, that is written for PostgreSQL's regular expressions. Their
/// compiler is slow for long patterns, and has limits.
const MAX_PATTERN_BYTES: usize = 1000;
/// PostgreSQL's limit on a repetition count (RE_DUP_MAX in src/include/regex/regex.h). The counts
/// of nested repetitions are multiplied.
const MAX_REPETITIONS: u32 = 255;

/// The error for a predicate that SQL/JSON path cannot express. It names the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("SQL/JSON path cannot express {0}")]
pub struct NotExpressible(&'static str);

impl Predicate {
    /// The predicate as a JSON path that selects something from exactly the documents that match.
    pub fn jsonpath(&self) -> Result<String, NotExpressible> {
        match self {
            Predicate::All => Ok("$".to_string()),
            Predicate::None => Ok("$ ? (1 == 0)".to_string()),
            _ => Ok(format!("$ ? ({})", self.visit(&mut PathWriter::at("$"))?)),
        }
    }
}

/// Writes a predicate or its negation. A negation is carried down to the conditions, because
/// PostgreSQL loses rows otherwise: a negated `&&` is an OR, but extract_jsp_bool_expr
/// (jsonb_gin.c) keeps only the side that has index keys. Where a negation stands within another,
/// the index then misses rows (seen in PostgreSQL 18.6).
struct PathWriter {
    /// Where paths begin: `$`, or `@` within the filter on an object.
    root: &'static str,
    /// Whether the negation is written.
    negated: bool,
}

impl Visitor<'_> for PathWriter {
    type Output = Result<String, NotExpressible>;

    fn constant(&mut self, holds: bool) -> Self::Output {
        Ok(if holds != self.negated { "1 == 1" } else { "1 == 0" }.to_string())
    }

    fn condition(&mut self, path: Option<&str>, test: &Test) -> Self::Output {
        let (root, not) = (self.root, self.mark());
        let below = if path.is_none() || test.is_existence() { ".**" } else { "" };
        let keys = keys(path)?;
        Ok(format!("{not}exists({root}{keys}{below} ? ({}))", filter(test)?))
    }

    fn object(&mut self, object: &ObjectCondition) -> Self::Output {
        let (root, not, keys) = (self.root, self.mark(), keys(Some(&object.path))?);
        let mut in_object = PathWriter::at("@");
        let mut filter = r#"@.type() == "object""#.to_string();
        if object.inner.holds_without_leaves() {
            filter += " && ";
            filter += &in_object.condition(None, &Test::Exists)?;
        }
        if object.inner != Predicate::All {
            filter += " && ";
            filter += &in_object.operand(&object.inner)?;
        }
        Ok(format!("{not}exists({root}{keys} ? ({filter}))"))
    }

    fn and(&mut self, parts: &[Predicate]) -> Self::Output {
        self.joined(parts, if self.negated { " || " } else { " && " })
    }

    fn or(&mut self, parts: &[Predicate]) -> Self::Output {
        self.joined(parts, if self.negated { " && " } else { " || " })
    }

    fn not(&mut self, part: &Predicate) -> Self::Output {
        part.visit(&mut PathWriter { negated: !self.negated, ..*self })
    }
}

impl PathWriter {
    fn at(root: &'static str) -> PathWriter {
        PathWriter { root, negated: false }
    }

    /// What stands before a condition.
    fn mark(&self) -> &'static str {
        if self.negated { "!" } else { "" }
    }

    /// Writes an operand, in parentheses if it has operators itself.
    fn operand(&mut self, predicate: &Predicate) -> Result<String, NotExpressible> {
        let text = predicate.visit(self)?;
        let mut inner = predicate;
        while let Predicate::Not(part) = inner {
            inner = part;
        }
        match inner {
            Predicate::And(_) | Predicate::Or(_) => Ok(format!("({text})")),
            Predicate::All | Predicate::None | Predicate::Not(_) => Ok(text),
            Predicate::Condition { .. } | Predicate::Object(_) => Ok(text),
        }
    }

    /// Joins many operands as a balanced tree. PostgreSQL walks the tree of a path recursively, and
    /// its stack would not suffice for a chain of ten thousand operands.
    fn joined(&mut self, parts: &[Predicate], operator: &str) -> Result<String, NotExpressible> {
        if parts.len() <= 8 {
            let operands = parts.iter().map(|part| self.operand(part));
            return Ok(operands.collect::<Result<Vec<_>, _>>()?.join(operator));
        }
        let (left, right) = parts.split_at(parts.len() / 2);
        let left = self.joined(left, operator)?;
        Ok(format!("({left}){operator}({})", self.joined(right, operator)?))
    }
}

/// The accessors of a path's keys.
fn keys(path: Option<&str>) -> Result<String, NotExpressible> {
    let mut keys = String::new();
    for key in path.iter().flat_map(|path| path.split('.')) {
        keys.push('.');
        keys.push_str(&string(key)?);
    }
    Ok(keys)
}

/// The filter on one value of a path.
fn filter(test: &Test) -> Result<String, NotExpressible> {
    match test {
        Test::Equal(value) => equal(value),
        Test::Range { lower, upper } => range(lower.as_ref(), upper.as_ref()),
        Test::Prefix(start) => Ok(format!("@ starts with {}", string(start)?)),
        Test::Wildcard(wildcard) => {
            like_regex(&format!("^{}$", pattern::wildcard_regex(wildcard.globs())))
        }
        Test::Regexp(regexp) => {
            check_regexp(regexp.tree(), 1)?;
            let operators = NotExpressible("the regular expression operators ~ and &");
            like_regex(&regexp.pattern().ok_or(operators)?)
        }
        Test::Fuzzy(fuzzy) if fuzzy.edits() == 0 => Ok(format!("@ == {}", string(fuzzy.text())?)),
        Test::Fuzzy(_) => Err(NotExpressible("a fuzzy term")),
        Test::Exists => {
            Ok(r#"@.type() == "string" || @.type() == "number" || @.type() == "boolean""#
                .to_string())
        }
    }
}

fn equal(value: &Value) -> Result<String, NotExpressible> {
    if value.instants.is_some() {
        return Err(NotExpressible("a date, which is compared as an instant"));
    }
    let mut alternatives = vec![format!("@ == {}", string(&value.text)?)];
    // No jsonb number is equal to a number that numeric cannot hold.
    let number = value.number.as_ref().map(|number| &number.first);
    if let Some(number) = number.filter(|number| number.is_numeric()) {
        alternatives.push(format!("@ == {number}"));
    }
    alternatives.extend(value.boolean.map(|boolean| format!("@ == {boolean}")));
    Ok(alternatives.join(" || "))
}

fn range(lower: Option<&Limit>, upper: Option<&Limit>) -> Result<String, NotExpressible> {
    let limits = || lower.into_iter().chain(upper);
    if limits().any(|limit| limit.value.instants.is_some()) {
        return Err(NotExpressible("a date, which is compared as an instant"));
    }
    let number = |value: &'_ Value| value.number.as_ref().map(|number| number.first.clone());
    if !limits().filter_map(|limit| number(&limit.value)).all(|number| number.is_numeric()) {
        return Err(NotExpressible("a number outside the range of numeric"));
    }
    let between = |read: &dyn Fn(&Value) -> Option<String>| {
        let end = |limit: &Limit, operator: &str| {
            let equal = if limit.inclusive { "=" } else { "" };
            read(&limit.value).map(|literal| format!("@ {operator}{equal} {literal}"))
        };
        let ends = [lower.map(|limit| end(limit, ">")), upper.map(|limit| end(limit, "<"))];
        let ends: Option<Vec<String>> = ends.into_iter().flatten().collect();
        ends.map(|ends| ends.join(" && "))
    };
    limits().try_for_each(|limit| string(&limit.value.text).map(drop))?;
    let alternatives: Vec<String> = [
        between(&|value| number(value).map(|number| number.to_string())),
        between(&|value| string(&value.text).ok()),
        between(&|value| value.boolean.map(|boolean| boolean.to_string())),
    ]
    .into_iter()
    .flatten()
    .map(|alternative| format!("({alternative})"))
    .collect();
    Ok(alternatives.join(" || "))
}

/// Writes a match with a pattern. Flag "s" makes `.` match line ends.
fn like_regex(pattern: &str) -> Result<String, NotExpressible> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(NotExpressible("a pattern of more than 1000 bytes"));
    }
    Ok(format!("@ like_regex {} flag \"s\"", string(pattern)?))
}

/// Checks that PostgreSQL's regular expressions can express the node. `repeats` is the product of
/// the repetition counts around it.
fn check_regexp(node: &RegexpNode, repeats: u32) -> Result<(), NotExpressible> {
    match node {
        RegexpNode::Nothing => Err(NotExpressible("the empty regular expression (#)")),
        RegexpNode::Concat(parts) | RegexpNode::Union(parts) => {
            parts.iter().try_for_each(|part| check_regexp(part, repeats))
        }
        RegexpNode::Repeat { node, min, max } => {
            let repeats = repeats.saturating_mul(max.unwrap_or(*min).max(1));
            if repeats > MAX_REPETITIONS {
                return Err(NotExpressible("a regular expression with more than 255 repetitions"));
            }
            check_regexp(node, repeats)
        }
        RegexpNode::Empty
        | RegexpNode::AnyChar
        | RegexpNode::AnyString
        | RegexpNode::Literal(_)
        | RegexpNode::Class { .. }
        | RegexpNode::Intersection(_)
        | RegexpNode::Complement(_) => Ok(()),
    }
}

/// A string literal. Only the quote and the backslash need an escape (jsonpath_scan.l). No jsonb
/// string has a NUL.
fn string(text: &str) -> Result<String, NotExpressible> {
    if text.contains('\0') {
        return Err(NotExpressible("a NUL character"));
    }
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(c);
    }
    literal.push('"');
    Ok(literal)
}
