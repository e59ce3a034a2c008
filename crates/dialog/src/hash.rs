//! The slot of a Call-ID: the hash Kamailio computes, so that cookies and rows stay exchangeable.

/// The raw 32-bit value over the trimmed Call-ID (spec dialog 1.2, steps 1 to 4); bytes compare case sensitively.
pub fn core_hash(text: &[u8]) -> u32 {
    finish(add(0, text))
}

/// The same over two texts one after the other: not the value of the texts joined, because each is cut into words of four
/// bytes on its own (spec dialog 1.2). An absent second text is the empty one.
pub fn core_hash_of_two(first: &[u8], second: &[u8]) -> u32 {
    finish(add(add(0, first), second))
}

fn add(hash: u32, text: &[u8]) -> u32 {
    let mut words = text.chunks_exact(4);
    let hash = words.by_ref().fold(hash, mix);
    mix(hash, words.remainder())
}

fn finish(hash: u32) -> u32 {
    hash.wrapping_add(hash >> 11).wrapping_add(hash >> 13).wrapping_add(hash >> 23)
}

/// The slot number for a table of `slots` slots, a power of two.
pub fn slot(text: &[u8], slots: u32) -> u32 {
    core_hash(text) & slots.wrapping_sub(1)
}

fn mix(hash: u32, bytes: &[u8]) -> u32 {
    let value = bytes.iter().fold(0u32, |value, byte| (value << 8) | u32::from(*byte));
    hash.wrapping_add(value ^ (value >> 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_taken_from_the_running_original_come_out() {
        let vectors: [(&[u8], u32, u32); 9] = [
            (b"c1@x", 1869139709, 3837),
            (b"1-19529@127.0.0.1", 3623827964, 2556),
            (b"db@x", 1761504889, 3705),
            (b"ctx@x", 1865176274, 1234),
            (b"rf@x", 2084433940, 20),
            (b"a", 109, 109),
            (b"abcd", 1834959896, 1048),
            (b"abcde", 1834960001, 1153),
            (b"", 0, 0),
        ];
        for (text, raw, entry) in vectors {
            assert_eq!(core_hash(text), raw, "{}", String::from_utf8_lossy(text));
            assert_eq!(slot(text, 4096), entry);
        }
    }

    #[test]
    fn two_texts_are_cut_into_words_each_on_its_own() {
        assert_eq!(core_hash_of_two(b"abcde", b""), core_hash(b"abcde"));
        assert_eq!(core_hash_of_two(b"abcd", b"efgh"), core_hash(b"abcdefgh"));
        assert_ne!(core_hash_of_two(b"ab", b"cd"), core_hash(b"abcd"));
        assert_eq!(core_hash_of_two(b"", b"a"), 109);
    }
}
