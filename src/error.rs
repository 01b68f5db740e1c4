//! Everything that can be wrong with a call: one type with its SQLSTATE, message, DETAIL and HINT.
//!
//! No other module raises errors. Errors that PostgreSQL raises beneath us (a lock not available,
//! permission denied, a cancelled query, what a trigger says) never become an [`Error`]: they pass
//! through unchanged (pg/error_data.rs).

use crate::memory;
use crate::parse_error::{ParseError, ParseErrorKind};
use crate::pg::{error_data, versions};
use pgrx::PgSqlErrorCode as Code;
use pgrx::pg_sys::panic::{CaughtError, ErrorReport, ErrorReportWithLevel};
use pgrx::{PgLogLevel, function_name, pg_sys};
use std::ffi::CString;

pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, in words that the caller knows.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} must not be null")]
    Null(&'static str),
    #[error("{what} must be {range}, not {got}")]
    OutOfRange { what: &'static str, range: &'static str, got: i64 },
    #[error("a store name must not be empty")]
    NameEmpty,
    #[error("store name is too long: {bytes} bytes, at most {max} are possible")]
    NameTooLong { bytes: usize, max: usize },
    #[error("a store name must not contain a NUL character")]
    NameNul,
    #[error("store \"{name}\" already exists")]
    StoreExists { name: String },
    #[error(
        "\"{name}\" cannot be the name of a store: schema \"sessions\" already has a relation \"{relation}\""
    )]
    RelationExists { name: String, relation: String, is_table: bool },
    #[error("store \"{name}\" does not exist")]
    UnknownStore { name: String, near: Vec<String>, is_table: bool },
    #[error("table {table} of store \"{name}\" does not exist")]
    TableMissing { name: String, table: String },
    #[error("{relation} of store \"{name}\" is not a table")]
    NoTable { name: String, relation: String },
    #[error("there is no table {table}")]
    NothingToAdopt { table: String },
    #[error("{table} cannot become a store: {problem}")]
    Unfit { table: String, problem: String, hint: String },
    #[error("documents of {table} have an id that is not their identity at \"{path}\"")]
    Elsewhere { table: String, path: String, documents: Vec<String> },
    #[error("no document of {table} has an identity at \"{path}\"")]
    NoneThere { table: String, path: String },
    #[error("row-level security hides sessions of store \"{name}\" from the user")]
    RowSecurity { name: String },
    /// An error that PostgreSQL raised, with a hint about what to do.
    #[error("sessions of store \"{name}\" cannot change their identity: {problem}")]
    Held { name: String, code: Code, problem: String, detail: Option<String>, hint: &'static str },
    #[error("store \"{name}\" cannot be dropped because other objects depend on it")]
    Needed { name: String, detail: Option<String> },
    /// A store that cannot be distributed, or a change that a distributed store does not allow.
    #[error("store \"{name}\" {cannot}: {problem}")]
    Distributed { name: String, cannot: &'static str, problem: String, hint: String },
    /// A right on a store that cannot be granted or revoked.
    #[error("{problem}")]
    Grant { code: Code, problem: String, hint: String },
    /// `place` reads like `ops[0].upsert[3]`.
    #[error("{place}: {problem}")]
    Ops { place: String, problem: String },
    /// `place` reads like `facet.byType.limit`.
    #[error("{place}: {problem}")]
    Request { place: String, problem: String },
    #[error("{place}: \"{text}\" is no instant and no date math")]
    NoInstant { place: String, text: String, hint: String },
    #[error("{place}: {what} is not supported")]
    Unsupported { place: String, what: String },
    /// An error in what stands at a place of a request, such as its query.
    #[error("{place}: {error}")]
    At { place: String, error: Box<Error> },
    #[error("{problem}")]
    RequestTooLarge { problem: String },
    #[error("a statistic of the values has more digits than numeric can hold")]
    NumericOverflow,
    #[error("session_store.load_into names no store")]
    NoLoadStore,
    #[error("{count} no usable identity at \"{path}\"")]
    NoIdentity { count: &'static str, path: String, documents: Vec<String> },
    #[error("sessions of store \"{name}\" would share an identity at \"{path}\"")]
    SharedIdentity { name: String, path: String, documents: Vec<String> },
    /// `text` could not be parsed. `what` says what it should be: a query, a sort.
    #[error("{}{}", prefix(.error.kind, .what), .error.message)]
    Query { what: &'static str, text: String, error: ParseError },
    #[error("{reason}")]
    NotExpressible { reason: String },
    #[error("operator @@@@ takes no query with NOW: {query}")]
    DependsOnNow { query: String },
    #[error("{doing} failed with SPI status {code}")]
    Spi { doing: &'static str, code: i32 },
    #[error("could not read a temporary file")]
    TemporaryFile,
    #[error("extension session_store is older in this database than its library")]
    Outdated,
    #[error("index \"{index}\" is damaged: block {block}: {what}")]
    Corrupt { index: String, block: u32, what: &'static str },
    #[error("the answer has more than {most} bytes, which is more than jsonb can hold")]
    AnswerTooLarge { most: usize },
    #[error("session_store.one_row() stands alone in statements of session_store")]
    OneRow,
    #[error("session_store.load_line() can only be called as a trigger")]
    NotTrigger,
    #[error("the answer of a shard cannot be read")]
    ShardAnswer,
    #[error("the stream has ended with the transaction that it began in")]
    StreamEnded,
    #[error("out of memory")]
    OutOfMemory { bytes: usize },
    #[error("\"{index}\" is not a GIN index of one column with keys of type bytea")]
    NotGin { index: String },
}

impl Error {
    fn code(&self) -> Code {
        match self {
            Error::Null(_) => Code::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            Error::OutOfRange { .. }
            | Error::NoInstant { .. }
            | Error::Ops { .. }
            | Error::Request { .. }
            | Error::NoIdentity { .. } => Code::ERRCODE_INVALID_PARAMETER_VALUE,
            Error::At { error, .. } => error.code(),
            Error::RequestTooLarge { .. } => Code::ERRCODE_STATEMENT_TOO_COMPLEX,
            Error::NumericOverflow => Code::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
            Error::NameEmpty | Error::NameNul => Code::ERRCODE_INVALID_NAME,
            Error::NameTooLong { .. } => Code::ERRCODE_NAME_TOO_LONG,
            Error::StoreExists { .. } | Error::RelationExists { .. } => {
                Code::ERRCODE_DUPLICATE_OBJECT
            }
            Error::UnknownStore { .. }
            | Error::TableMissing { .. }
            | Error::NothingToAdopt { .. } => Code::ERRCODE_UNDEFINED_TABLE,
            Error::NoTable { .. } => Code::ERRCODE_WRONG_OBJECT_TYPE,
            Error::Unfit { .. } => Code::ERRCODE_INVALID_TABLE_DEFINITION,
            Error::Elsewhere { .. } | Error::NoneThere { .. } => {
                Code::ERRCODE_INVALID_PARAMETER_VALUE
            }
            Error::RowSecurity { .. } => Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
            Error::Held { code, .. } | Error::Grant { code, .. } => *code,
            Error::Needed { .. } => Code::ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
            Error::SharedIdentity { .. } => Code::ERRCODE_UNIQUE_VIOLATION,
            Error::Query { error, .. } => match error.kind {
                ParseErrorKind::Syntax => Code::ERRCODE_SYNTAX_ERROR,
                ParseErrorKind::Unsupported => Code::ERRCODE_FEATURE_NOT_SUPPORTED,
                ParseErrorKind::TooComplex => Code::ERRCODE_STATEMENT_TOO_COMPLEX,
            },
            Error::NotExpressible { .. }
            | Error::DependsOnNow { .. }
            | Error::Unsupported { .. }
            | Error::Distributed { .. } => Code::ERRCODE_FEATURE_NOT_SUPPORTED,
            Error::Spi { .. } => Code::ERRCODE_INTERNAL_ERROR,
            Error::TemporaryFile => Code::ERRCODE_IO_ERROR,
            Error::OneRow | Error::NotTrigger => Code::ERRCODE_FEATURE_NOT_SUPPORTED,
            Error::Outdated | Error::NoLoadStore | Error::ShardAnswer => {
                Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE
            }
            Error::Corrupt { .. } => Code::ERRCODE_INDEX_CORRUPTED,
            Error::AnswerTooLarge { .. } => Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            Error::StreamEnded => Code::ERRCODE_INVALID_CURSOR_STATE,
            Error::OutOfMemory { .. } => Code::ERRCODE_OUT_OF_MEMORY,
            Error::NotGin { .. } => Code::ERRCODE_WRONG_OBJECT_TYPE,
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Error::NoIdentity { documents, .. }
            | Error::SharedIdentity { documents, .. }
            | Error::Elsewhere { documents, .. } => Some(documents.join("\n")),
            Error::Held { detail, .. } | Error::Needed { detail, .. } => detail.clone(),
            Error::At { error, .. } => error.detail(),
            Error::Query { what, text, error } => {
                error.position.map(|position| point_at(what, text, position))
            }
            Error::OutOfMemory { bytes } => Some(format!("Failed on request of {bytes} bytes.")),
            _ => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::UnknownStore { name, is_table: true, .. }
            | Error::RelationExists { name, is_table: true, .. } => {
                let name = pgrx::spi::quote_literal(name);
                Some(format!(
                    "Schema \"sessions\" has a table of that name that is not a store, for example after restoring a dump of that schema \
                     alone. SELECT session_adopt({name}, key => …) makes it one."
                ))
            }
            Error::UnknownStore { near, .. } if near.is_empty() => {
                Some("session_list() shows the stores, session_add() creates one.".into())
            }
            Error::UnknownStore { near, .. } => {
                let names: Vec<String> = near.iter().map(|name| format!("\"{name}\"")).collect();
                Some(format!("Did you mean {}?", names.join(" or ")))
            }
            Error::TableMissing { name, .. } => Some(format!(
                "Its table was dropped or renamed by hand. SELECT session_drop({}) removes the store.",
                pgrx::spi::quote_literal(name)
            )),
            Error::NoTable { name, .. } => Some(format!(
                "Something else was put in its place by hand. SELECT session_drop({}) removes the store and leaves that alone.",
                pgrx::spi::quote_literal(name)
            )),
            Error::Unfit { hint, .. } if !hint.is_empty() => Some(hint.clone()),
            Error::Elsewhere { table, path, .. } => Some(format!(
                "If that is the path of the identity, run UPDATE {table} SET id = session_store.identity(doc, {0}) WHERE \
                 session_store.identity(doc, {0}) <> id, and mend or delete the documents whose value there is no identity.",
                pgrx::spi::quote_literal(path)
            )),
            Error::NoneThere { .. } => Some(
                "If that is the path of the identity, insert a document that has one before session_adopt.".into(),
            ),
            Error::RowSecurity { .. } => Some(
                "A role that sees all of them may do it, and so may the owner after ALTER TABLE … NO FORCE ROW LEVEL SECURITY.".into(),
            ),
            Error::Held { hint, .. } => Some((*hint).into()),
            Error::NoInstant { hint, .. } => Some(hint.clone()),
            Error::Needed { name, .. } => Some(format!(
                "Drop these objects first, or all at once by DROP TABLE {} CASCADE; SELECT session_drop({}) then removes the store.",
                pgrx::spi::quote_qualified_identifier("sessions", name),
                pgrx::spi::quote_literal(name)
            )),
            Error::At { error, .. } => error.hint(),
            Error::Grant { hint, .. } | Error::Distributed { hint, .. } => Some(hint.clone()),
            Error::Query { error, .. } => error.hint.clone(),
            Error::NotExpressible { .. } => Some(
                "session_query, session_stream, session_count and the operator @@@ do answer it."
                    .into(),
            ),
            Error::DependsOnNow { .. } => Some(
                "session_store.at_now(query) writes the start of the transaction out in its place. The operator @@@ takes NOW."
                    .into(),
            ),
            Error::AnswerTooLarge { .. } => {
                Some("Ask for fewer rows, or use session_stream, which has no such limit.".into())
            }
            Error::Outdated => Some("ALTER EXTENSION session_store UPDATE brings it up to date.".into()),
            Error::ShardAnswer => {
                Some("session_store must have the same version on all servers.".into())
            }
            Error::NoLoadStore => Some("SET session_store.load_into = 'the store'.".into()),
            Error::Corrupt { index, .. } => Some(format!("REINDEX INDEX {index} rebuilds it.")),
            _ => None,
        }
    }

    /// Raises the error. If the context of a call asks for errors to be returned instead, as
    /// pg_input_is_valid does, and COPY that skips bad rows, the error is saved there.
    ///
    /// # Safety
    /// The context must be that of a function call.
    pub unsafe fn raise_or_save(self, context: *mut pg_sys::Node) {
        let text = |text: String| CString::new(text.replace('\0', "")).unwrap_or_default();
        let saved = versions::Saved {
            code: self.code() as i32,
            message: text(self.to_string()),
            detail: self.detail().map(text),
            hint: self.hint().map(text),
        };
        // SAFETY: the caller says that the context is that of a function call.
        if !unsafe { versions::save_error(context, &saved) } {
            self.raise();
        }
    }

    /// Raises the error in PostgreSQL, for places that cannot return it.
    pub fn raise(self) -> ! {
        memory::make_room_for_error();
        ErrorReport::from(self).report(PgLogLevel::ERROR);
        unreachable!("reporting an ERROR does not return")
    }
}

/// pgrx raises an `ErrorReport` unchanged when a SQL function returns it.
impl From<Error> for ErrorReport {
    fn from(error: Error) -> ErrorReport {
        let mut report = ErrorReport::new(error.code(), error.to_string(), function_name!());
        if let Some(detail) = error.detail() {
            report = report.set_detail(detail);
        }
        if let Some(hint) = error.hint() {
            report = report.set_hint(hint);
        }
        report
    }
}

/// Sends a NOTICE about a query that was answered.
pub fn notice(message: &str) {
    ErrorReport::new(Code::ERRCODE_SUCCESSFUL_COMPLETION, message.to_string(), function_name!())
        .report(PgLogLevel::NOTICE);
}

/// Sends a WARNING about a call that was carried out.
pub fn warning(message: String, hint: &str) {
    ErrorReport::new(Code::ERRCODE_WARNING, message, function_name!())
        .set_hint(hint)
        .report(PgLogLevel::WARNING);
}

/// Sees errors as they begin their way through Rust, and keeps backtraces out of them. If
/// RUST_BACKTRACE is set in the server's environment, the panic hook of pgrx captures a backtrace
/// for every error, a cancelled query included, and pgrx adds it to the DETAIL. So errors do not
/// reach that hook. A panic is a fault of ours and does reach it, so that its backtrace shows where
/// it came from.
pub fn watch_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_error = panic.payload().is::<CaughtError>()
            || panic.payload().is::<ErrorReportWithLevel>()
            || panic.payload().is::<ErrorReport>();
        memory::make_room_for_error();
        error_data::forget_unless(panic.payload());
        if !is_error {
            hook(panic);
        }
    }));
}

/// What comes before the message: only a syntax error has to say which text it is in.
fn prefix(kind: ParseErrorKind, what: &str) -> String {
    match kind {
        ParseErrorKind::Syntax => format!("syntax error in {what}: "),
        ParseErrorKind::Unsupported | ParseErrorKind::TooComplex => String::new(),
    }
}

/// How many characters of a long line are shown before and after the place. Both halves and the
/// caret fit in a terminal of 80 columns.
const WINDOW: usize = 30;

/// Shows a place in a text: the number of the byte (from 1), the line around it, and a caret below.
fn point_at(what: &str, text: &str, position: usize) -> String {
    let (head, tail) = (0..=position.min(text.len()))
        .rev()
        .find_map(|at| text.split_at_checked(at))
        .unwrap_or_default();
    let before: Vec<char> = head.rsplit('\n').next().unwrap_or_default().chars().collect();
    let after: Vec<char> = tail.split('\n').next().unwrap_or_default().chars().collect();

    let cut_before = before.len() > WINDOW;
    let cut_after = after.len() > WINDOW;
    let shown_before = &before[before.len() - before.len().min(WINDOW)..];
    let shown_after = &after[..after.len().min(WINDOW)];
    // A tab or another control character would move the caret away from its place.
    let plain = |c: &char| if c.is_control() { ' ' } else { *c };
    let line: String = std::iter::repeat_n('…', cut_before.into())
        .chain(shown_before.iter().chain(shown_after).map(plain))
        .chain(std::iter::repeat_n('…', cut_after.into()))
        .collect();
    let caret = " ".repeat(shown_before.len() + usize::from(cut_before));

    let number = head.matches('\n').count() + 1;
    let place = if text.contains('\n') { format!(" (line {number})") } else { String::new() };
    let of = if what == "query" { String::new() } else { format!(" of the {what}") };
    format!("at byte {}{of}{place}:\n{line}\n{caret}^", head.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::point_at;

    #[test]
    fn points_at_the_place() {
        assert_eq!(point_at("query", "foo:[1 T 5]", 5), "at byte 6:\nfoo:[1 T 5]\n     ^");
        assert_eq!(point_at("query", "", 0), "at byte 1:\n\n^");
        assert_eq!(point_at("sort", "a up", 99), "at byte 5 of the sort:\na up\n    ^");
    }

    #[test]
    fn counts_bytes_but_aligns_characters() {
        assert_eq!(point_at("query", "é:é é:", 8), "at byte 9:\né:é é:\n     ^");
    }

    #[test]
    fn shows_one_line_of_many() {
        assert_eq!(point_at("query", "a:1\n\tb:]\nc", 7), "at byte 8 (line 2):\n b:]\n   ^");
    }

    #[test]
    fn shows_the_part_of_a_long_line() {
        let text = "x".repeat(100);
        let x = "x".repeat(30);
        assert_eq!(
            point_at("query", &text, 50),
            format!("at byte 51:\n…{x}{x}…\n{}^", " ".repeat(31))
        );
    }
}
