//! Why a query, a sort order or a pattern cannot be read.

/// What kind of error a [`ParseError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// The text does not follow the syntax.
    Syntax,
    /// The text is valid in Solr, but session_store does not support this part of the language.
    Unsupported,
    /// The text goes beyond a limit: it is too long, nested too deeply, or too expensive.
    TooComplex,
}

/// The error for a query that cannot be read, with its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What kind of error it is.
    pub kind: ParseErrorKind,
    /// What is wrong, in plain words and without the position.
    pub message: String,
    /// The byte offset in the text where the error is, if it has a place.
    pub position: Option<usize>,
    /// What the user could write instead.
    pub hint: Option<String>,
}

impl ParseError {
    fn new(kind: ParseErrorKind, position: usize, message: impl Into<String>) -> Self {
        ParseError { kind, message: message.into(), position: Some(position), hint: None }
    }

    pub(crate) fn syntax(position: usize, message: impl Into<String>) -> Self {
        Self::new(ParseErrorKind::Syntax, position, message)
    }

    pub(crate) fn unsupported(position: usize, message: impl Into<String>) -> Self {
        Self::new(ParseErrorKind::Unsupported, position, message)
    }

    pub(crate) fn too_complex(position: usize, message: impl Into<String>) -> Self {
        Self::new(ParseErrorKind::TooComplex, position, message)
    }

    /// An error of the text as a whole, without a position.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        let kind = ParseErrorKind::TooComplex;
        ParseError { kind, message: message.into(), position: None, hint: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error for the text around the part that was read, which begins at byte `by`.
    pub(crate) fn shifted_by(mut self, by: usize) -> Self {
        self.position = self.position.map(|position| position + by);
        self
    }

    /// The error as one of the outer text, in which the text that was read is a value at
    /// `position`. Its place in that value is told as `DETAIL` tells one, from byte 1 on.
    pub(crate) fn within(mut self, what: &str, position: usize) -> Self {
        self.message = match self.position {
            Some(inner) => format!("{what}: {} (at byte {} of it)", self.message, inner + 1),
            None => format!("{what}: {}", self.message),
        };
        self.position = Some(position);
        self
    }
}
