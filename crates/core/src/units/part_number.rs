use std::fmt;

/// The number of a part of a multipart upload, 1 to 10,000 (S3 User Guide, *Amazon S3 multipart upload
/// limits*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u16);

impl PartNumber {
    /// The largest part number, which is also the largest number of parts.
    pub const MAX: u32 = 10_000;
    /// The number of the first part, 1.
    pub const FIRST: PartNumber = PartNumber(1);

    /// `None` outside 1 to 10,000.
    pub fn new(number: u32) -> Option<Self> {
        u16::try_from(number).ok().filter(|_| (1..=Self::MAX).contains(&number)).map(PartNumber)
    }

    /// The number of the part at a zero-based position; `None` beyond the 10,000th part.
    pub fn from_index(index: usize) -> Option<Self> {
        u32::try_from(index).ok().and_then(|index| Self::new(index.checked_add(1)?))
    }

    /// The number as S3 counts, from 1.
    pub fn get(self) -> u32 {
        u32::from(self.0)
    }

    /// The zero-based position of the part.
    pub fn index(self) -> usize {
        usize::from(self.0) - 1
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_legal_numbers() {
        assert_eq!(PartNumber::new(0), None);
        assert_eq!(PartNumber::new(10_001), None);
        assert_eq!(PartNumber::from_index(0), Some(PartNumber::FIRST));
        assert_eq!(PartNumber::from_index(9_999).map(PartNumber::get), Some(10_000));
        assert_eq!(PartNumber::from_index(10_000), None);
        assert_eq!(PartNumber::from_index(usize::MAX), None);
        assert_eq!(PartNumber::new(7).map(PartNumber::index), Some(6));
    }
}
