//! Strings that begin with a digit, such as addresses and instants, packed into little more than
//! half of their bytes.
//!
//! ```text
//! STRING digit 00 codes rest
//! ```
//!
//! Digits, dots, slashes and dashes behind the first digit have codes of four bits, two to a byte.
//! Another byte ends the codes, with a code that says whether it is below or above them. It and all
//! bytes behind it stand as they are. If half a byte is left over, it is 0. So packing keeps the
//! order of strings. Every IPv4 address fits an index tuple of 32 bytes; plain, it took 40.
//!
//! No string holds a NUL, so the 00 tells a packed string from a plain one. All other strings are
//! plain. Versions before 0.4.0 wrote plain strings only, and their keys stay until a REINDEX. So
//! whoever looks for a value looks for both forms.

use crate::document::STRING;
use smallvec::SmallVec;

/// All bytes from `LEAST` to `MOST` have a code: `-`, `.`, `/` and the digits.
const LEAST: u8 = b'-';
const MOST: u8 = b'9';
/// The code of `LEAST`. The codes before it are 0, for the end of the string, and `BELOW`.
const FIRST_CODE: u8 = 2;
const BELOW: u8 = 1;
const ABOVE: u8 = 15;

/// Room for an unpacked value. Most values fit without memory from the heap.
pub type Unpacked = SmallVec<[u8; 64]>;

/// The first digit of a string that is to be packed: one that begins with a digit and has more
/// behind it.
fn first_digit(value: &[u8]) -> Option<u8> {
    let (digit, _) = split_packable(value.strip_prefix(&[STRING])?)?;
    Some(digit)
}

/// The first digit of a string that is to be packed, without its type, and what is behind it.
fn split_packable(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [digit @ b'0'..=b'9', rest @ ..] if rest.first().is_some_and(|next| *next != 0) => {
            Some((*digit, rest))
        }
        _ => None,
    }
}

fn packed(stored: &[u8]) -> Option<(u8, &[u8])> {
    match stored {
        [STRING, digit @ b'0'..=b'9', 0, codes @ ..] => Some((*digit, codes)),
        _ => None,
    }
}

/// Writes a value, its type in front, in the form in which keys hold it.
pub fn pack(value: &[u8], out: &mut Vec<u8>) {
    match value {
        [STRING, text @ ..] => pack_string(text, out),
        other => out.extend_from_slice(other),
    }
}

/// Writes a string, without its type, in the form in which keys hold it.
pub fn pack_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(STRING);
    let Some((digit, rest)) = split_packable(text) else {
        out.extend_from_slice(text);
        return;
    };
    out.extend_from_slice(&[digit, 0]);
    let dense = rest.iter().take_while(|byte| (LEAST..=MOST).contains(byte)).count();
    let (dense, rest) = rest.split_at(dense);
    let end = rest.first().map(|byte| if *byte < LEAST { BELOW } else { ABOVE });
    let mut high = None;
    for code in dense.iter().map(|byte| byte - LEAST + FIRST_CODE).chain(end) {
        match high.take() {
            None => high = Some(code << 4),
            Some(high) => out.push(high | code),
        }
    }
    out.extend(high);
    out.extend_from_slice(rest);
}

/// The value of a stored form.
pub fn unpack<'v>(stored: &'v [u8], scratch: &'v mut Unpacked) -> &'v [u8] {
    let Some((digit, codes)) = packed(stored) else { return stored };
    scratch.clear();
    scratch.extend([STRING, digit]);
    for (at, byte) in codes.iter().enumerate() {
        for code in [byte >> 4, byte & 15] {
            match code {
                0 => return scratch,
                BELOW | ABOVE => {
                    scratch.extend_from_slice(&codes[at + 1..]);
                    return scratch;
                }
                code => scratch.push(code - FIRST_CODE + LEAST),
            }
        }
    }
    scratch
}

/// The forms in which a key may hold a value, in order: packed, and plain.
pub fn forms(value: &[u8]) -> SmallVec<[Vec<u8>; 2]> {
    let as_is = value.to_vec();
    match first_digit(value) {
        Some(_) => [bound(value), as_is].into_iter().collect(),
        None => std::iter::once(as_is).collect(),
    }
}

/// The intervals of stored forms for the values from `from` up to but not including `below`. They
/// are in order and do not overlap.
pub fn intervals(from: &[u8], below: &[u8]) -> SmallVec<[(Vec<u8>, Vec<u8>); 3]> {
    if from >= below {
        return SmallVec::new();
    }
    let (first, last) = (first_digit(from), first_digit(below));
    // In the order of bytes, the packed strings of a digit come before the plain ones of that
    // digit. Strings with another first byte lie before or behind both.
    let cuts = match (first, last) {
        (Some(a), Some(b)) if a == b => {
            vec![(bound(from), bound(below)), (from.to_vec(), below.to_vec())]
        }
        _ => {
            let mut cuts = Vec::new();
            if let Some(digit) = first {
                cuts.push((bound(from), behind_packed(digit)));
            }
            match last {
                Some(digit) => {
                    cuts.push((from.to_vec(), bound(below)));
                    cuts.push((behind_packed(digit), below.to_vec()));
                }
                None => cuts.push((from.to_vec(), below.to_vec())),
            }
            cuts
        }
    };
    cuts.into_iter().filter(|(from, below)| from < below).collect()
}

/// The first bytes behind all values that begin with `prefix`, in the form (packed or plain) of
/// `stored`, which begins with it.
pub fn behind(stored: &[u8], prefix: &[u8]) -> Vec<u8> {
    let end = end_of_prefix(prefix);
    match packed(stored) {
        Some((digit, _)) if prefix.len() > 2 => match first_digit(&end) {
            Some(same) if same == digit => bound(&end),
            _ => behind_packed(digit),
        },
        _ => end,
    }
}

/// The first byte string behind all that begin with `prefix`. A prefix begins with a type, which is
/// not 0xFF.
pub fn end_of_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while end.last() == Some(&0xFF) {
        end.pop();
    }
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// The first digit of a stored string, if it has one, and whether the string would be packed today
/// but is plain.
pub fn leading_digit(stored: &[u8]) -> Option<(u8, bool)> {
    match stored {
        [STRING, digit @ b'0'..=b'9', ..] => Some((*digit, first_digit(stored).is_some())),
        _ => None,
    }
}

/// The first bytes behind all packed strings that begin with a digit. Plain strings with that digit
/// lie behind them.
pub fn behind_packed(digit: u8) -> Vec<u8> {
    vec![STRING, digit, 1]
}

/// Packs the bytes at the end of a range. They divide the packed strings as `bytes` divides the
/// strings.
fn bound(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    pack(bytes, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(text: &str) -> Vec<u8> {
        [&[STRING], text.as_bytes()].concat()
    }

    fn stored(text: &str) -> Vec<u8> {
        bound(&typed(text))
    }

    #[test]
    fn packs_what_it_says() {
        let length = |text: &str| stored(text).len();
        for address in ["1.1.1.1", "64.150.5.135", "255.255.255.255"] {
            // Together with the tag and the hash of a V key and its header, no more than 24 bytes
            // behind the tuple's own header.
            assert!(5 + length(address) <= 15, "{address}");
        }
        assert_eq!(stored("64.1"), [STRING, b'6', 0, 0x93, 0x60]);
        assert_eq!(stored("64 x"), [STRING, b'6', 0, 0x91, b' ', b'x']);
        assert_eq!(stored("64.x"), [STRING, b'6', 0, 0x93, 0xf0, b'x']);
        assert_eq!(length("2024-03-31T12:00:00Z"), 1 + 2 + 5 + 10);
        for text in ["", "6", "x", "x64.150", "-1", ":", "é"] {
            assert_eq!(stored(text), typed(text));
        }
    }

    /// Strings of which many are close to each other, also at the ends of the bytes that have
    /// codes.
    fn near() -> impl Strategy<Value = String> {
        "[0-9:/.x]{0,2}[-.,/0129:é\u{1}\u{10FFFF}]{0,6}"
    }

    proptest! {
        #[test]
        fn order_is_kept_and_values_come_back(a in near(), b in near()) {
            prop_assert_eq!(stored(&a).cmp(&stored(&b)), a.cmp(&b));
            let (key, mut scratch) = (stored(&a), Unpacked::new());
            prop_assert_eq!(unpack(&key, &mut scratch), typed(&a));
        }

        /// Any bytes can be unpacked.
        #[test]
        fn damaged_keys_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..9)) {
            let key = [&[STRING, b'6', 0], bytes.as_slice()].concat();
            prop_assert!(unpack(&key, &mut Unpacked::new()).starts_with(&[STRING, b'6']));
        }

        /// In each of its forms, a value lies in one of the intervals exactly if it lies in the
        /// range of values.
        #[test]
        fn intervals_hold_both_forms(a in near(), b in near(), value in near(), ends in 0u8..8) {
            let value = typed(&value);
            let end = |text: &str, is_behind: bool, is_prefix: bool| match (typed(text), is_behind, is_prefix) {
                (bytes, true, _) => [bytes.as_slice(), &[0]].concat(),
                (bytes, _, true) => end_of_prefix(&bytes),
                (bytes, ..) => bytes,
            };
            let from = end(&a, ends & 1 > 0, ends & 2 > 0);
            let below = end(&b, ends & 4 > 0, ends & 2 > 0);
            let found = intervals(&from, &below);
            prop_assert!(found.iter().all(|(from, below)| from < below));
            prop_assert!(found.windows(2).all(|pair| pair[0].1 <= pair[1].0));
            let is_within = from <= value && value < below;
            for form in forms(&value) {
                let times = found.iter().filter(|(from, below)| *from <= form && form < *below).count();
                prop_assert_eq!(times, usize::from(is_within));
            }
        }

        /// Everything that is skipped begins with the prefix, and something is skipped.
        #[test]
        fn leaps_over_a_prefix(value in near(), other in near(), length in 1usize..9) {
            let (value, other) = (typed(&value), typed(&other));
            let prefix = &value[..value.len().min(length)];
            for (at, form) in forms(&value).iter().enumerate() {
                let behind = behind(form, prefix);
                prop_assert!(*form < behind);
                // A form that only one of the two values has says nothing of the other value.
                let other_forms = forms(&other);
                let Some(other_form) = other_forms.get(at) else { continue };
                if other_forms.len() == forms(&value).len() && other_form >= form {
                    prop_assert_eq!(*other_form < behind, other.starts_with(prefix));
                }
            }
        }
    }
}
