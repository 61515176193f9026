/// Bytes of a block; it counts only if all its bytes are zero.
const BLOCK: usize = 512;

/// Counts zero bytes by blocks.
#[derive(Debug, Default)]
pub(super) struct Plain {
    zeros: u64,
    /// Bytes of the current block, and whether all of them were zero.
    begun: usize,
    only_zeros: bool,
}

impl Plain {
    pub(crate) fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.begun == 0 {
                self.only_zeros = true;
            }
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.begun));
            self.only_zeros &= now.iter().fold(0, |any, byte| any | byte) == 0;
            self.begun += now.len();
            if self.begun == BLOCK {
                self.zeros += if self.only_zeros { BLOCK as u64 } else { 0 };
                self.begun = 0;
            }
            bytes = later;
        }
    }

    /// Bytes in blocks of zeros. The last block may be short.
    pub(crate) fn zeros(&self) -> u64 {
        self.zeros + if self.begun > 0 && self.only_zeros { self.begun as u64 } else { 0 }
    }
}
