use crate::content::{Limits, Stream};
use crate::units::MIB;

/// Checks that the result of decoding does not depend on the sizes of the pieces. Input: a byte for the size
/// of the pieces, then the stream.
pub fn stream(data: &[u8]) -> bool {
    let Some((piece, bytes)) = data.split_first() else { return false };
    let limits = Limits { window: MIB, decoded: MIB };
    let decode = |piece: usize| {
        let mut stream = Stream::new(limits);
        bytes.chunks(piece).for_each(|piece| stream.take(piece));
        stream.finish()
    };
    let decoded = decode(usize::from(*piece) + 1);
    let whole = decode(bytes.len().max(1));
    assert_eq!((decoded.format, decoded.frames), (whole.format, whole.frames));
    assert_eq!(std::mem::discriminant(&decoded.end), std::mem::discriminant(&whole.end), "{decoded}; {whole}");
    assert_eq!(decoded.taken_bytes, bytes.len() as u64);
    assert!(decoded.good_bytes <= decoded.taken_bytes && decoded.window <= limits.window);
    decoded.frames > 0
}
