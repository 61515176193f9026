//! What a person or a script gives to the program and gets from it, and the library as other programs use it.

mod bench;
#[path = "../common/mod.rs"]
mod common;
mod completion;
mod content;
mod cost;
mod docs;
mod evidence;
#[path = "../common/hostile.rs"]
mod hostile;
mod human;
mod library;
mod messages;
mod page;
mod resume;
mod run;
mod schema;
mod screens;
mod settings;
#[path = "../common/spoil.rs"]
mod spoil;
mod targets;
