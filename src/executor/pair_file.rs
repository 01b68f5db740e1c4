//! Pairs of a value and a document in a temporary file, in one order, of which any part is read
//! (utils: src/backend/storage/file/buffile.c).

use super::doc_address::DocAddress;
use crate::error::{Error, Result};
use crate::interrupts;
use crate::memory;
use pgrx::pg_sys;
use std::ffi::c_void;

/// What pairs are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairOrder {
    Value,
    Document,
}

/// Takes pairs in ascending order, and hands them out from any place on. What it holds of the
/// server's must not outlive the call in which it was made.
pub struct PairFile {
    file: *mut pg_sys::BufFile,
    order: PairOrder,
    /// Where some of the pairs lie, each with what it is ordered by.
    marks: Vec<(Vec<u8>, Place)>,
    /// How many bytes lie between two marks.
    stride: usize,
    /// How many bytes were written since the last mark.
    since: usize,
    /// The value that was read last.
    value: Vec<u8>,
}

/// A place in a file: the number of its segment, and how many bytes lie before it there.
#[derive(Debug, Clone, Copy, Default)]
struct Place(i32, pg_sys::off_t);

/// The address of a document, and the length of a value.
const HEAD: usize = 12;
/// How many bytes of a value a mark holds. Values that begin in the same way may lie on either side.
const MARK: usize = 256;
/// How many marks there are at most: twice as many bytes lie between them otherwise.
const MAX_MARKS: usize = 2048;

impl PairFile {
    pub fn new(order: PairOrder) -> PairFile {
        let between_transactions = false;
        // SAFETY: a function of SQL runs with a current resource owner, which closes the file where
        // an error ends the call; else `drop` does.
        let file = unsafe { pg_sys::BufFileCreateTemp(between_transactions) };
        PairFile { file, order, marks: Vec::new(), stride: 8192, since: 0, value: Vec::new() }
    }

    /// Takes a pair, which comes behind the last one.
    pub fn push(&mut self, value: &[u8], address: DocAddress) -> Result<()> {
        if self.marks.is_empty() || self.since >= self.stride {
            self.mark(value, address)?;
        }
        let mut head = [0; HEAD];
        let (place, length) = head.split_at_mut(8);
        place.copy_from_slice(&address.to_integer().to_be_bytes());
        length.copy_from_slice(&(value.len() as u32).to_be_bytes());
        for bytes in [&head[..], value] {
            // SAFETY: the file is open, and the bytes are there to be read.
            unsafe {
                let from = bytes.as_ptr().cast_mut().cast::<c_void>();
                pg_sys::BufFileWrite(self.file, from, bytes.len());
            }
        }
        self.since += HEAD + value.len();
        Ok(())
    }

    fn mark(&mut self, value: &[u8], address: DocAddress) -> Result<()> {
        if self.marks.len() == MAX_MARKS {
            let mut number = 0;
            self.marks.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.stride *= 2;
        }
        let mut place = Place::default();
        // SAFETY: the file is open, and takes two integers to write to.
        unsafe { pg_sys::BufFileTell(self.file, &raw mut place.0, &raw mut place.1) };
        memory::reserve(&mut self.marks, 1)?;
        self.marks.push((self.key(value, address), place));
        self.since = 0;
        Ok(())
    }

    /// What a pair is ordered by, as far as marks hold it.
    fn key(&self, value: &[u8], address: DocAddress) -> Vec<u8> {
        match self.order {
            PairOrder::Value => value.get(..MARK).unwrap_or(value).to_vec(),
            PairOrder::Document => address.to_integer().to_be_bytes().to_vec(),
        }
    }

    /// Goes to a place before the first pair of a value or of a document that is not below it.
    pub fn seek(&mut self, value: &[u8], address: DocAddress) -> Result<()> {
        let key = self.key(value, address);
        let behind = self.marks.partition_point(|(mark, _)| *mark < key);
        let mark = behind.checked_sub(1).and_then(|at| self.marks.get(at));
        let Place(segment, offset) = mark.map_or(Place::default(), |(_, place)| *place);
        // SAFETY: the file is open, and the place lies in it.
        match unsafe { pg_sys::BufFileSeek(self.file, segment, offset, libc::SEEK_SET) } {
            0 => Ok(()),
            _ => Err(Error::TemporaryFile),
        }
    }

    /// The next pair; none at the end.
    pub fn next(&mut self) -> Result<Option<(&[u8], DocAddress)>> {
        interrupts::spend(1);
        let mut head = [0; HEAD];
        if !self.read(&mut head)? {
            return Ok(None);
        }
        let [a, b, c, d, e, f, g, h, length @ ..] = head;
        let address = DocAddress::from_integer(i64::from_be_bytes([a, b, c, d, e, f, g, h]));
        let length = u32::from_be_bytes(length) as usize;
        let mut value = std::mem::take(&mut self.value);
        value.clear();
        memory::reserve(&mut value, length)?;
        value.resize(length, 0);
        let is_there = self.read(&mut value)?;
        self.value = value;
        match is_there || length == 0 {
            true => Ok(Some((&self.value, address))),
            false => Err(Error::TemporaryFile),
        }
    }

    /// Reads so many bytes; says no at the end of the file.
    fn read(&mut self, bytes: &mut [u8]) -> Result<bool> {
        // SAFETY: the file is open, and the bytes are there to be written.
        let read = unsafe {
            pg_sys::BufFileRead(self.file, bytes.as_mut_ptr().cast::<c_void>(), bytes.len())
        };
        match read {
            0 => Ok(false),
            read if read == bytes.len() => Ok(true),
            _ => Err(Error::TemporaryFile),
        }
    }
}

impl Drop for PairFile {
    fn drop(&mut self) {
        // While an error is raised, the aborting transaction closes the file.
        if !std::thread::panicking() {
            // SAFETY: it was opened in `new`, and nothing else refers to it.
            unsafe { pg_sys::BufFileClose(self.file) };
        }
    }
}
