use crc_fast::CrcAlgorithm;
use sha2::Digest as _;
use sha2::digest::common::hazmat::SerializableState;
use xxhash_rust::xxh3::Xxh3;
use xxhash_rust::xxh64::Xxh64;

use super::{Algorithm, Digest};

/// Computes one digest over bytes that arrive in order.
pub struct Hasher {
    algorithm: Algorithm,
    state: State,
}

enum State {
    Crc(crc_fast::Digest),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
    Md5(md5::Md5),
    Xxh64(Xxh64),
    /// XXH3 and XXH128 share one state and differ only in the final step. The state takes half a kilobyte, so
    /// it is boxed.
    Xxh3(Box<Xxh3>),
}

impl Hasher {
    /// A hasher that has seen no bytes yet.
    pub fn new(algorithm: Algorithm) -> Self {
        let crc = |algorithm| State::Crc(crc_fast::Digest::new(algorithm));
        let state = match algorithm {
            Algorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
            Algorithm::Sha1 => State::Sha1(sha1::Sha1::new()),
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
            Algorithm::Md5 => State::Md5(md5::Md5::new()),
            Algorithm::Xxh64 => State::Xxh64(Xxh64::new(0)),
            Algorithm::Xxh3 | Algorithm::Xxh128 => State::Xxh3(Box::new(Xxh3::new())),
        };
        Hasher { algorithm, state }
    }

    /// The digest of `bytes` in one call.
    pub fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The algorithm of the digest that [`finish`](Self::finish) returns.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Appends bytes. How the input is split between calls does not change the digest.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(state) => state.update(bytes),
            State::Sha1(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
            State::Md5(state) => state.update(bytes),
            State::Xxh64(state) => state.update(bytes),
            State::Xxh3(state) => state.update(bytes),
        }
    }

    /// The internal state, from which another process can resume; `None` for the XXH family, whose crate does
    /// not export its state.
    ///
    /// The format is private to the hash crates: only the same minor version of them can read it.
    pub fn save(&self) -> Option<Vec<u8>> {
        match &self.state {
            State::Crc(state) => Some(state.get_state().to_le_bytes().to_vec()),
            State::Sha1(state) => Some(state.serialize().to_vec()),
            State::Sha256(state) => Some(state.serialize().to_vec()),
            State::Sha512(state) => Some(state.serialize().to_vec()),
            State::Md5(state) => Some(state.serialize().to_vec()),
            State::Xxh64(_) | State::Xxh3(_) => None,
        }
    }

    /// Resumes from a state that [`save`](Self::save) returned; `None` if it is not a valid state of this
    /// algorithm.
    pub fn resume(algorithm: Algorithm, saved: &[u8]) -> Option<Self> {
        fn of<H: SerializableState>(saved: &[u8]) -> Option<H> {
            H::deserialize(saved.try_into().ok()?).ok()
        }
        let crc = |algorithm| {
            let state = u64::from_le_bytes(saved.try_into().ok()?);
            Some(State::Crc(crc_fast::Digest::new_with_init_state(algorithm, state)))
        };
        let state = match algorithm {
            Algorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc)?,
            Algorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi)?,
            Algorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme)?,
            Algorithm::Sha1 => State::Sha1(of(saved)?),
            Algorithm::Sha256 => State::Sha256(of(saved)?),
            Algorithm::Sha512 => State::Sha512(of(saved)?),
            Algorithm::Md5 => State::Md5(of(saved)?),
            Algorithm::Xxh64 | Algorithm::Xxh3 | Algorithm::Xxh128 => return None,
        };
        Some(Hasher { algorithm, state })
    }

    /// The digest of all bytes given so far.
    pub fn finish(self) -> Digest {
        let of = |bytes: &[u8]| Digest::computed(self.algorithm, bytes);
        match self.state {
            State::Crc(state) => Digest::from_crc(self.algorithm, state.finalize()),
            State::Sha1(state) => of(&state.finalize()),
            State::Sha256(state) => of(&state.finalize()),
            State::Sha512(state) => of(&state.finalize()),
            State::Md5(state) => of(&state.finalize()),
            State::Xxh64(state) => of(&state.digest().to_be_bytes()),
            State::Xxh3(state) if self.algorithm == Algorithm::Xxh128 => of(&state.digest128().to_be_bytes()),
            State::Xxh3(state) => of(&state.digest().to_be_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published check values: the CRC catalogue for "123456789", FIPS 180 and RFC 1321 for "abc", the XXH
    /// reference implementation for the empty input.
    #[test]
    fn known_answers() {
        let check = b"123456789";
        for (algorithm, input, hex) in [
            (Algorithm::Crc32, &check[..], "cbf43926"),
            (Algorithm::Crc32c, check, "e3069283"),
            (Algorithm::Crc64Nvme, check, "ae8b14860a799888"),
            (Algorithm::Md5, b"abc", "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha1, b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Sha256, b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                Algorithm::Sha512,
                b"abc",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
            (Algorithm::Xxh64, b"", "ef46db3751d8e999"),
            (Algorithm::Xxh3, b"", "2d06800538d394c2"),
            (Algorithm::Xxh128, b"", "99aa06d3014798d86001c324468d497f"),
        ] {
            assert_eq!(Hasher::digest(algorithm, input).hex(), hex, "{algorithm}");
        }
    }

    #[test]
    fn a_saved_state_goes_on() {
        let data: Vec<u8> = (0..10_007u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for algorithm in Algorithm::ALL {
            for at in [0, 1, 63, 64, 65, 128, 5_000, 10_007] {
                let mut hasher = Hasher::new(algorithm);
                hasher.update(&data[..at]);
                let Some(saved) = hasher.save() else {
                    assert!(matches!(algorithm, Algorithm::Xxh64 | Algorithm::Xxh3 | Algorithm::Xxh128));
                    continue;
                };
                let mut again = Hasher::resume(algorithm, &saved).unwrap();
                again.update(&data[at..]);
                assert_eq!(again.finish(), Hasher::digest(algorithm, &data), "{algorithm} at {at}");
                assert!(Hasher::resume(algorithm, &saved[1..]).is_none());
            }
        }
    }

    #[test]
    fn pieces_equal_the_whole() {
        let data: Vec<u8> = (0..100_003u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for algorithm in Algorithm::ALL {
            let mut hasher = Hasher::new(algorithm);
            for piece in data.chunks(997) {
                hasher.update(piece);
            }
            assert_eq!(hasher.finish(), Hasher::digest(algorithm, &data), "{algorithm}");
        }
    }
}
