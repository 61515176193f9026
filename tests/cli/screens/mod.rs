//! What a person sees on the screen, besides the reports: the files that were written, plain ASCII, and help.

mod ascii;
mod mistyped;
mod rig;
mod written;
