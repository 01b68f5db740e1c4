//! What is near a condition that no document meets.

use super::at_path::Kind;
use super::readings::readings;
use super::{Asking, condition};
use crate::error::Result;
use crate::pattern::{Glob, Regexp};
use crate::store::suggest::suggest;
use crate::syntax::{self, Ast, Bound, LeafQuery};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

/// How many findings of one kind are shown.
const FEW: usize = 3;
/// Among how many values of the documents found they are looked for.
const MANY: i64 = 100;
/// Longer texts are not compared without regard to case: the expression would be too large.
const MAX_TEXT: usize = 200;
/// How many characters of a value a finding shows.
const SHOWN: usize = 60;
/// The most paths among which similar ones are looked for.
const MAX_PATHS: usize = 10_000;

/// What there is instead of documents that meet `path:query`, each with a query to try.
pub(super) fn near(
    asking: &Asking<'_>,
    path: Option<&str>,
    query: &LeafQuery,
) -> Result<Vec<Value>> {
    let mut near = Near { asking, path, found: Vec::new() };
    match path {
        Some(path) if asking.count(&condition(path, LeafQuery::Exists))? == 0 => {
            near.paths(path, query)?;
        }
        _ => near.values(query)?,
    }
    Ok(near.found)
}

struct Near<'a> {
    asking: &'a Asking<'a>,
    path: Option<&'a str>,
    found: Vec<Value>,
}

impl Near<'_> {
    /// Adds a finding if some document meets the query, and if the query can be written. Says whether
    /// it did.
    fn add(&mut self, why: String, ast: &Ast) -> Result<bool> {
        if self.asking.is_spent() || !is_writable(ast) {
            return Ok(false);
        }
        let count = self.asking.count(ast)?;
        let (query, is_new) = (ast.to_string(), count > 0);
        if is_new && !self.found.iter().any(|found| found["try"] == *query) {
            self.found.push(json!({ "why": why, "try": query, "count": count }));
        }
        Ok(is_new)
    }

    fn at(&self, query: LeafQuery) -> Ast {
        Ast::Condition { path: self.path.map(str::to_string), query }
    }

    /// Other paths: in other case, with the same end, or a few letters away.
    fn paths(&mut self, path: &str, query: &LeafQuery) -> Result<()> {
        let names = self.asking.paths()?;
        if names.len() > MAX_PATHS {
            self.asking.cut(format!("only {MAX_PATHS} paths were compared letter by letter"));
        }
        let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_lowercase();
        let same_case = names.iter().filter(|name| name.to_lowercase() == path.to_lowercase());
        let same_end = names.iter().filter(|name| last(name) == last(path));
        let mut others: Vec<String> = same_case.chain(same_end).take(5).cloned().collect();
        others.extend(suggest(path, names.iter().take(MAX_PATHS).cloned().collect()));
        // A misspelt last key, below any path.
        let ends: Vec<String> = names.iter().take(MAX_PATHS).map(|name| last(name)).collect();
        for end in suggest(&last(path), ends) {
            others.extend(names.iter().filter(|name| last(name) == end).take(2).cloned());
        }
        let mut seen = std::collections::HashSet::new();
        for other in others.into_iter().filter(|other| seen.insert(other.clone())).take(6) {
            let why = format!("no document has a value at {path}, but there are some at {other}");
            if !self.add(why.clone(), &condition(&other, query.clone()))? {
                self.add(why, &condition(&other, LeafQuery::Exists))?;
            }
        }
        Ok(())
    }

    fn values(&mut self, query: &LeafQuery) -> Result<()> {
        match query {
            LeafQuery::Equal(text) => self.text(text)?,
            LeafQuery::Prefix(text) => {
                self.alike(text)?;
            }
            LeafQuery::Fuzzy(text, _) => self.text(text)?,
            LeafQuery::Wildcard(pattern) => {
                let expression: String = pattern
                    .iter()
                    .map(|glob| match glob {
                        Glob::Char(c) => folded_char(*c),
                        Glob::One => ".".to_string(),
                        Glob::Any => ".*".to_string(),
                    })
                    .collect();
                self.matching(&expression)?;
            }
            LeafQuery::Range { lower, upper } => self.opposite(lower, upper)?,
            LeafQuery::Regexp(_) | LeafQuery::Exists => {}
        }
        if self.found.is_empty() {
            self.readings(query)?;
        }
        if self.found.is_empty() {
            self.kinds()?;
        }
        Ok(())
    }

    /// A text: with other letters, with more around it, or misspelt.
    fn text(&mut self, text: &str) -> Result<()> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let forms = [
            (text.nfc().collect(), "composed as Unicode's form NFC"),
            (text.nfd().collect(), "decomposed as Unicode's form NFD"),
            (words.join(" "), "with other white space"),
        ];
        for (form, how) in forms.into_iter().filter(|(form, _): &(String, _)| form != text) {
            self.add(format!("there is the same text, {how}"), &self.at(LeafQuery::Equal(form)))?;
        }
        self.folded(text)?;
        let prefix = self.at(LeafQuery::Prefix(text.to_string()));
        self.add("there are longer values that begin with it".to_string(), &prefix)?;
        if self.found.is_empty() {
            self.alike(text)?;
        }
        Ok(())
    }

    /// Longer values in other case and misspelt ones, or else longer ones that hold the text.
    fn alike(&mut self, text: &str) -> Result<()> {
        if text.len() > MAX_TEXT {
            return Ok(());
        }
        let edits = match text.chars().count() {
            0..=2 => 0,
            3..=4 => 1,
            _ => 2,
        };
        let paths: Vec<&str> = match self.path {
            Some(path) => vec![path],
            None => self.asking.paths()?.iter().map(String::as_str).collect(),
        };
        let look = self.asking.look(&paths, text, edits)?;
        for (path, start) in look.starts.into_iter().take(FEW) {
            let why = format!("there are longer values that begin with {}", shown(&start));
            self.add(why, &condition(&path, LeafQuery::Prefix(start)))?;
        }
        for (path, value) in look.similar.into_iter().take(FEW) {
            let why = format!("there is a similar value: {}", shown(&value));
            self.add(why, &condition(&path, LeafQuery::Equal(value)))?;
        }
        if !self.found.is_empty() {
            return Ok(());
        }
        if !look.is_cut && !look.holding.is_empty() {
            return self.around(text);
        }
        // There are too many values to count those that hold it.
        for (path, value) in look.holding {
            let why = format!("there is a longer value that holds it: {}", shown(&value));
            self.add(why, &condition(&path, LeafQuery::Equal(value)))?;
        }
        Ok(())
    }

    /// Values that hold the text anywhere.
    fn around(&mut self, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let middle = text.chars().map(Glob::Char);
        let pattern = [Glob::Any].into_iter().chain(middle).chain([Glob::Any]).collect();
        let around = self.at(LeafQuery::Wildcard(pattern));
        self.add("there are longer values that hold it".to_string(), &around)?;
        Ok(())
    }

    /// Values that differ in case, or in the white space around the words.
    fn folded(&mut self, text: &str) -> Result<()> {
        if text.len() > MAX_TEXT {
            self.asking.cut(format!(
                "texts of more than {MAX_TEXT} bytes are not compared regardless of case"
            ));
            return Ok(());
        }
        let words: Vec<String> =
            text.split_whitespace().map(|word| word.chars().map(folded_char).collect()).collect();
        // Without a path, the expression itself is what is to be tried: it stays short.
        let (edge, between) = match self.path {
            Some(_) => ("[ \t\n\r\u{a0}]*", "[ \t\n\r\u{a0}]+"),
            None => ("", " "),
        };
        self.matching(&format!("{edge}{}{edge}", words.join(between)))
    }

    /// Names values that a regular expression matches.
    fn matching(&mut self, expression: &str) -> Result<()> {
        let Ok(regexp) = Regexp::parse(expression, 0) else { return Ok(()) };
        let Ok(compiled) = regexp.compile() else { return Ok(()) };
        let why = "there is a value that differs in case or white space";
        self.named(&self.at(LeafQuery::Regexp(regexp)), why, &|value| {
            compiled.is_match(value).then(|| LeafQuery::Equal(value.to_string()))
        })
    }

    /// Names what is to be tried for some of the strings of the documents that match a query.
    fn named(
        &mut self,
        query: &Ast,
        why: &str,
        to_try: &dyn Fn(&str) -> Option<LeafQuery>,
    ) -> Result<()> {
        if !is_writable(query) || self.asking.count(query)? == 0 {
            return Ok(());
        }
        let Some(path) = self.path else { return self.add(why.to_string(), query).map(drop) };
        let (values, before) = (self.asking.values(query, path, MANY)?, self.found.len());
        let texts = values.iter().filter_map(Value::as_str);
        for (text, query) in texts.filter_map(|text| Some((text, to_try(text)?))).take(FEW) {
            self.add(format!("{why}: {}", shown(text)), &condition(path, query))?;
        }
        if self.found.len() == before {
            // The documents have more frequent values at the path.
            self.add(why.to_string(), query)?;
        }
        Ok(())
    }

    /// A range whose ends are the wrong way round.
    fn opposite(&mut self, lower: &Bound, upper: &Bound) -> Result<()> {
        if *lower != Bound::Open && *upper != Bound::Open {
            let range = LeafQuery::Range { lower: upper.clone(), upper: lower.clone() };
            self.add("the ends are the wrong way round".to_string(), &self.at(range))?;
        }
        Ok(())
    }

    /// The same for values of another type.
    fn readings(&mut self, query: &LeafQuery) -> Result<()> {
        let Some(path) = self.path else { return Ok(()) };
        for (why, query) in readings(path, query) {
            self.add(why, &condition(path, query))?;
            if self.found.len() >= FEW {
                break;
            }
        }
        Ok(())
    }

    /// What there is at the path at all: of which types, and from which value to which.
    fn kinds(&mut self) -> Result<()> {
        let Some(path) = self.path else { return Ok(()) };
        let exists = condition(path, LeafQuery::Exists);
        let kinds = self.asking.kinds(path)?;
        if kinds.is_empty() {
            // There are objects at the path, and values below it.
            let below = format!("{path}.");
            let names = self.asking.paths()?.iter().filter(|name| name.starts_with(&below));
            for name in names.take(5) {
                let why = format!("there are objects at {path}, and values at {name}");
                self.add(why, &condition(name, LeafQuery::Exists))?;
            }
            return Ok(());
        }
        let told: Vec<String> = kinds
            .iter()
            .map(|Kind { name, documents, least, most }| {
                let (least, most) = (shown(&plain(least)), shown(&plain(most)));
                let noun = if *documents == 1 { "document" } else { "documents" };
                format!("{name} from {least} to {most} ({documents} {noun})")
            })
            .collect();
        let why = format!("the values at {path} are {}", told.join(", "));
        if let [Kind { least, most, .. }] = kinds.as_slice()
            && let [lower, upper] = [plain(least), plain(most)]
            && !least.is_boolean()
            && lower.len() + upper.len() <= MAX_TEXT
        {
            let range = |lower, upper| condition(path, LeafQuery::Range { lower, upper });
            let bound = |text| {
                let bound = Bound::Inclusive(text);
                match is_writable(&range(bound.clone(), Bound::Open)) {
                    true => bound,
                    false => Bound::Open,
                }
            };
            return self.add(why, &range(bound(lower), bound(upper))).map(drop);
        }
        self.add(why, &exists).map(drop)
    }
}

/// Whether what is written for a query is read as that query. No query asks for a path without a
/// name, for a range that begins with the empty text, or for a text that looks like wrong date math.
fn is_writable(ast: &Ast) -> bool {
    syntax::parse(&ast.to_string()).is_ok_and(|read| read == *ast)
}

/// A text as a finding shows it: not too much of it.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

/// A value as a query has it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// A character in both cases, as a regular expression.
fn folded_char(c: char) -> String {
    let mut forms: Vec<char> =
        [c].into_iter().chain(c.to_lowercase()).chain(c.to_uppercase()).collect();
    // A letter that becomes several ones in the other case is left as it is.
    if c.to_lowercase().count() > 1 || c.to_uppercase().count() > 1 {
        forms.truncate(1);
    }
    forms.sort_unstable();
    forms.dedup();
    match forms.as_slice() {
        [only] => format!("\\{only}"),
        _ => format!("[{}]", forms.into_iter().collect::<String>()),
    }
}
