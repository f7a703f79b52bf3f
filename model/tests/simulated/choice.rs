//! Where a simulated world takes its decisions from.

/// Decides what is free.
pub(crate) trait Choice {
    /// A number below `count`, which is not 0.
    fn below(&mut self, count: usize) -> usize;

    /// Whether something happens that does so once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 1 % times
    }
}

/// One of several.
pub(crate) fn pick<'a, T>(choice: &mut dyn Choice, from: &'a [T]) -> &'a T {
    &from[choice.below(from.len())]
}

/// Decides by chance: splitmix64, the same for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Chance(pub(crate) u64);

impl Choice for Chance {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % count as u64) as usize
    }
}
