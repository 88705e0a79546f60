//! Overwrites memory of others: buffers that lie outside the arena and held something secret.
//!
//! Why not byte by byte: that is what keeps a compiler from leaving it out, and it takes longer
//! than the encryption of the same bytes. The C library has a function that is never left out.

use std::mem::MaybeUninit;

/// Makes all of `bytes` zero, whether or not anybody reads them again.
pub fn wipe(bytes: &mut [MaybeUninit<u8>]) {
    // SAFETY: the slice is ours alone for the time of the call and has that length; zero is a value
    // of every byte.
    unsafe { libc::explicit_bzero(bytes.as_mut_ptr().cast(), bytes.len()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_becomes_zero_and_no_other() {
        let mut bytes = [MaybeUninit::new(7u8); 66];
        wipe(&mut bytes[1..65]);
        // SAFETY: all were initialised above.
        let bytes = bytes.map(|byte| unsafe { byte.assume_init() });
        assert_eq!((bytes[0], bytes[65]), (7, 7));
        assert_eq!(bytes[1..65], [0; 64]);
        wipe(&mut []);
    }
}
