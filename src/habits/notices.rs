//! Notices about a query. Each kind is told a few times, and not for each of a thousand clauses.

/// How many notices of a kind are told in full. Of the others only the number is told.
const MAX_TOLD: usize = 3;

/// How many characters of a query a notice repeats.
const MAX_EXCERPT_CHARS: usize = 200;

/// Notices by kind, in the order in which the kinds occurred first.
#[derive(Debug, Default)]
pub struct Notices(Vec<NoticeKind>);

#[derive(Debug)]
struct NoticeKind {
    name: &'static str,
    told: Vec<String>,
    others: usize,
}

impl Notices {
    /// Adds a notice of a kind. `name` is the plural of what the notice is about. The text is only
    /// made if it is told.
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

    /// The texts of all notices.
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

/// The beginning of a part of a query, as long as a notice repeats it.
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
