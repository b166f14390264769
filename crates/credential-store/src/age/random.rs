//! Random bytes.

/// Fills a buffer with random bytes. A parameter, so that a test can know the result.
pub(super) type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// Random bytes of the operating system.
pub(super) fn system_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system provides random bytes");
}

/// A buffer of random bytes.
pub(super) fn array<const N: usize>(random: Random<'_>) -> [u8; N] {
    let mut bytes = [0; N];
    random(&mut bytes);
    bytes
}
