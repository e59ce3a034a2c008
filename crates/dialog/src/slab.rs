//! Records in chunks that never move, addressed by a 32-bit index.

use crate::record::Record;

/// Records of one chunk. Small, because every lock group has its own last chunk that is partly empty.
const CHUNK: usize = 32;
/// No record.
pub(crate) const NONE: u32 = u32::MAX;

/// Storage of one lock group; freed places are reused, chunks are never given back.
#[derive(Default)]
pub(crate) struct Slab {
    chunks: Vec<Box<[Option<Record>]>>,
    free: Vec<u32>,
    len: usize,
}

impl Slab {
    /// Stores the record; `None` when the index space is used up.
    pub(crate) fn insert(&mut self, record: Record) -> Option<u32> {
        if self.free.is_empty() {
            let first = u32::try_from(self.chunks.len() * CHUNK).ok().filter(|first| *first < NONE - CHUNK as u32)?;
            self.chunks.push((0..CHUNK).map(|_| None).collect());
            self.free.extend((first..first + CHUNK as u32).rev());
        }
        let index = self.free.pop()?;
        *self.place(index)? = Some(record);
        self.len += 1;
        Some(index)
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Record> {
        self.chunks.get(index as usize / CHUNK)?.get(index as usize % CHUNK)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut Record> {
        self.place(index)?.as_mut()
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<Record> {
        let record = self.place(index)?.take()?;
        self.free.push(index);
        self.len -= 1;
        Some(record)
    }

    /// Records stored.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Chunks that exist.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The records of `count` chunks from the chunk `first` on.
    pub(crate) fn iter_chunks(&self, first: usize, count: usize) -> impl Iterator<Item = &Record> {
        self.chunks.iter().skip(first).take(count).flat_map(|chunk| chunk.iter().filter_map(Option::as_ref))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().filter_map(Option::as_ref))
    }

    fn place(&mut self, index: u32) -> Option<&mut Option<Record>> {
        self.chunks.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)
    }
}
