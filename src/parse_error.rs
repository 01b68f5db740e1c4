//! Why a query cannot be read.

/// What kind of refusal an [`ParseError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// The text is not in the language.
    Syntax,
    /// The text is in Solr's language, but this part of it is not supported.
    Unsupported,
    /// The text is too long or nested too deeply.
    TooComplex,
}

/// A query that cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What kind of error it is.
    pub kind: ParseErrorKind,
    /// In plain words, without the place.
    pub message: String,
    /// Byte offset in the text.
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

    /// What is too much as a whole, and not at a place.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        let kind = ParseErrorKind::TooComplex;
        ParseError { kind, message: message.into(), position: None, hint: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error in a text of which the one that was read is a part, from byte `by` on.
    pub(crate) fn shifted_by(mut self, by: usize) -> Self {
        self.position = self.position.map(|position| position + by);
        self
    }

    /// An error inside a text that stands in another one, at `position` of the outer one.
    pub(crate) fn within(mut self, what: &str, position: usize) -> Self {
        self.message = match self.position {
            Some(inner) => format!("{what}: {} (at byte {inner} of it)", self.message),
            None => format!("{what}: {}", self.message),
        };
        self.position = Some(position);
        self
    }
}
