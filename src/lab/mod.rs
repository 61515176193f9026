//! A rehearsal endpoint on loopback.
