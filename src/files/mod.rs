//! Local files: inputs that are read within limits, and outputs that are replaced atomically.

mod input;
mod kind;
mod lock;
mod new_file;
mod output;
mod place;
mod room;
mod write;

pub use input::{Input, InputError, InputKind, only_owner_writes, open_input, read_bytes, read_text};
pub use kind::{LOG_MARKER, OutputKind, PLOT_MARKER, is_ours};
pub use lock::{Locking, NamedLock, try_lock};
pub use new_file::NewFile;
pub use output::{OutputError, try_output};
pub use place::{Place, resolved};
pub use room::{FileProblem, Room, room_for};
pub use write::{Rights, create_private, remove_whole, write_new, write_output, write_output_from, write_whole};

use std::fs::FileType;
use std::os::unix::fs::FileTypeExt;

/// The name of a file type, with its article.
fn type_name(found: FileType) -> &'static str {
    match found {
        found if found.is_file() => "a regular file",
        found if found.is_dir() => "a directory",
        found if found.is_fifo() => "a pipe",
        found if found.is_char_device() => "a character device",
        found if found.is_block_device() => "a block device",
        found if found.is_socket() => "a socket",
        _ => "a special file",
    }
}
