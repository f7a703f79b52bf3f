//! Each value once: a world has few different sessions, clients and notes, and very many combinations of them.
//!
//! A [`Table`] keeps every value that has been seen and gives it a small key; a [`Memo`] keeps what a rule has made of a
//! value. So a state of the world is a handful of keys, and a rule runs once for each value instead of once for each state.
//! Keys are numbered in the order of discovery: they mean the same all through one search, and nothing beyond it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

/// A key of a [`Table`].
pub(super) trait Key: Copy {
    fn of(index: u32) -> Self;
    fn index(self) -> u32;
}

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) struct $key(u32);

        impl Key for $key {
            fn of(index: u32) -> Self {
                $key(index)
            }

            fn index(self) -> u32 {
                self.0
            }
        }
    )*};
}

keys! {
    /// A [`Party`](super::party::Party).
    PartyKey;
    /// A [`Timed`](super::router::Timed) session.
    SessionKey;
    /// What the router holds: [`Router`](super::router::Router).
    RouterKey;
    /// A [`Ghost`](super::ghost::Ghost).
    GhostKey;
    /// Packets that a client sends at once.
    InputsKey;
    /// A packet of the server on a connection.
    EmissionKey;
    /// An [`Event`](super::ghost::Event).
    EventKey;
}

/// Values of one kind, each with what was derived from it.
#[derive(Debug)]
pub(super) struct Table<K, V, D = ()> {
    keys: Mutex<HashMap<Arc<V>, K>>,
    /// Each chunk is twice as long as the one before: entries never move, so reading needs no lock.
    chunks: [OnceLock<Chunk<V, D>>; CHUNKS],
}

type Chunk<V, D> = Box<[OnceLock<Entry<V, D>>]>;

#[derive(Debug)]
struct Entry<V, D> {
    value: Arc<V>,
    derived: OnceLock<D>,
}

/// The length of the first chunk, as a power of two; with so many chunks every index of 32 bits has its place.
const FIRST: u32 = 6;
const CHUNKS: usize = 32 - FIRST as usize + 1;

impl<K: Key, V: Eq + Hash, D> Table<K, V, D> {
    pub(super) fn new() -> Table<K, V, D> {
        Table { keys: Mutex::default(), chunks: std::array::from_fn(|_| OnceLock::new()) }
    }

    /// The key of a value.
    pub(super) fn key(&self, value: V) -> K {
        // A panic while it was held has left nothing half done: entries come before their keys.
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get(&value) {
            return *key;
        }
        let index = u32::try_from(keys.len()).expect("a search ends long before it has seen four billion values");
        let value = Arc::new(value);
        let (chunk, offset) = place(index);
        let chunk = self.chunks[chunk]
            .get_or_init(|| (0..1_usize << (FIRST + chunk as u32)).map(|_| OnceLock::new()).collect());
        chunk[offset].get_or_init(|| Entry { value: Arc::clone(&value), derived: OnceLock::new() });
        keys.insert(value, K::of(index));
        K::of(index)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: K) -> &V {
        &self.entry(key).value
    }

    /// What `derive` makes of the value; it is asked once.
    pub(super) fn derived(&self, key: K, derive: impl FnOnce(&V) -> D) -> &D {
        let entry = self.entry(key);
        entry.derived.get_or_init(|| derive(&entry.value))
    }

    fn entry(&self, key: K) -> &Entry<V, D> {
        let (chunk, offset) = place(key.index());
        let entry = self.chunks[chunk].get().and_then(|chunk| chunk[offset].get());
        entry.expect("keys come from `key`, which has filled the place")
    }
}

/// Where an index lives: chunk and offset.
fn place(index: u32) -> (usize, usize) {
    let shifted = u64::from(index) + (1 << FIRST);
    let magnitude = shifted.ilog2();
    ((magnitude - FIRST) as usize, (shifted - (1 << magnitude)) as usize)
}

/// What a rule makes of a few keys: each combination is computed once.
#[derive(Debug)]
pub(super) struct Memo<K, R>(RwLock<HashMap<K, R, BuildHasherDefault<Mixer>>>);

impl<K: Eq + Hash, R: Clone> Memo<K, R> {
    pub(super) fn new() -> Memo<K, R> {
        Memo(RwLock::default())
    }

    /// The result for these keys; `compute` may look into the memo itself.
    pub(super) fn get(&self, keys: K, compute: impl FnOnce() -> R) -> R {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&keys) {
            return known.clone();
        }
        let result = compute();
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(keys, result.clone());
        result
    }
}

/// Hashes a few keys. They are small and no one chooses them to collide: a multiplication for each is enough.
#[derive(Debug, Default)]
pub(super) struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, key: u32) {
        self.write_u64(u64::from(key));
    }

    fn write_u64(&mut self, key: u64) {
        let product = u128::from(self.0.rotate_left(32) ^ key) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_one_key_and_its_place() {
        let table: Table<SessionKey, u32> = Table::new();
        let keys: Vec<SessionKey> = (0..100_000).map(|value| table.key(value * 7)).collect();
        for (value, key) in (0..100_000).zip(&keys) {
            assert_eq!(table.get(*key), &(value * 7));
            assert_eq!(table.key(value * 7), *key);
        }
        assert_eq!(place(u32::MAX).0, CHUNKS - 1);
    }

    #[test]
    fn what_is_known_is_not_computed_again() {
        let memo: Memo<(u32, u32), u32> = Memo::new();
        for round in 0..2 {
            for one in 0..300 {
                for other in 0..300 {
                    let result = memo.get((one, other), || if round == 0 { one * 300 + other } else { unreachable!() });
                    assert_eq!(result, one * 300 + other);
                }
            }
        }
    }

    #[test]
    fn threads_agree_on_keys() {
        let table: Table<SessionKey, u32> = Table::new();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..5_000).map(|value| (value, table.key(value))).collect::<Vec<_>>()))
                .collect();
            for thread in threads {
                for (value, key) in thread.join().unwrap() {
                    assert_eq!(table.get(key), &value);
                    assert_eq!(table.key(value), key);
                }
            }
        });
    }
}
