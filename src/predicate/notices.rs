//! What the user should be told about a query: a few times, and not for each of a thousand clauses.

/// So many of a kind are told; of the others, how many there are.
const MAX_TOLD: usize = 3;

/// Longer parts of a query are not repeated.
const MAX_EXCERPT_CHARS: usize = 200;

/// Notices by their kinds, in the order in which those were met.
#[derive(Debug, Default)]
pub struct Notices(Vec<NoticeKind>);

#[derive(Debug)]
struct NoticeKind {
    name: &'static str,
    told: Vec<String>,
    others: usize,
}

impl Notices {
    /// Adds one of a kind, whose name is that of several. The text is made only if it is told.
    pub fn add(&mut self, name: &'static str, text: impl FnOnce() -> String) {
        let at = self.0.iter().position(|kind| kind.name == name).unwrap_or(self.0.len());
        if at == self.0.len() {
            self.0.push(NoticeKind { name, told: Vec::new(), others: 0 });
        }
        let kind = &mut self.0[at];
        match kind.told.len() {
            0..MAX_TOLD => kind.told.push(text()),
            _ => kind.others += 1,
        }
    }

    pub fn into_vec(self) -> Vec<String> {
        let texts = |NoticeKind { name, mut told, others }| {
            if others > 0 {
                told.push(format!("The same holds for {others} more {name}."));
            }
            told
        };
        self.0.into_iter().flat_map(texts).collect()
    }
}

/// A part of a query, as far as it is worth repeating.
pub fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_few_of_each_kind() {
        let mut notices = Notices::default();
        for number in 0..10 {
            notices.add("tens", || format!("ten {number}"));
            if number < 2 {
                notices.add("twos", || format!("two {number}"));
            }
        }
        let expected =
            ["ten 0", "ten 1", "ten 2", "The same holds for 7 more tens.", "two 0", "two 1"];
        assert_eq!(notices.into_vec(), expected);
        assert_eq!(excerpt(&"é".repeat(1000)).chars().count(), MAX_EXCERPT_CHARS + 1);
    }
}
