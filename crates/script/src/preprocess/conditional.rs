//! The stack of open `#!ifdef` blocks; one for all files of a configuration (spec cfg-language 2.4).

use crate::limits::CONDITIONALS_MAX;
use crate::source::Span;

/// Open blocks from the outermost in.
#[derive(Debug, Default)]
pub struct Conditionals {
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    is_true: bool,
    opened: Span,
}

impl Conditionals {
    /// Is text read here, that is: are all open blocks true?
    pub fn is_active(&self) -> bool {
        self.blocks.iter().all(|block| block.is_true)
    }

    /// Opens a block; false when there are too many.
    pub fn open(&mut self, is_true: bool, opened: Span) -> bool {
        if self.blocks.len() >= CONDITIONALS_MAX {
            return false;
        }
        self.blocks.push(Block { is_true, opened });
        true
    }

    /// `#!else`: turns the innermost block round, every time; false when none is open.
    pub fn invert(&mut self) -> bool {
        match self.blocks.last_mut() {
            Some(block) => {
                block.is_true = !block.is_true;
                true
            }
            None => false,
        }
    }

    /// `#!endif`; false when none is open.
    pub fn close(&mut self) -> bool {
        self.blocks.pop().is_some()
    }

    /// Places of the blocks that are still open.
    pub fn open_places(&self) -> impl Iterator<Item = Span> {
        self.blocks.iter().map(|block| block.opened)
    }
}
