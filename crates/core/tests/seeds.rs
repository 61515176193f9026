//! The seeds of the fuzz targets, replayed: what fuzzing found once is looked for in every test run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stored_ami_core::fuzzing::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_seed_of_every_target_holds() {
    for (target, entry) in TARGETS {
        let folder = fuzz().join("seeds").join(target);
        let (mut read, mut refused) = (0, 0);
        for seed in names(&folder) {
            let data = fs::read(folder.join(&seed)).unwrap();
            // The name of the seed goes with the panic.
            match std::panic::catch_unwind(|| entry(&data)) {
                Ok(true) => read += 1,
                Ok(false) => refused += 1,
                Err(_) => panic!("seed {target}/{seed} breaks a promise; see above"),
            }
        }
        assert!(read >= 3, "{target}: {read} seeds get past the first check");
        // Every plan is a plan; all else has inputs that are none.
        assert!(refused >= 1 || target == "read_plan", "{target}: no seed is refused");
    }
}

#[test]
fn every_target_has_its_program_and_its_seeds() {
    let expected: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&fuzz().join("seeds")), expected);
    let programs: BTreeSet<String> = expected.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&fuzz().join("fuzz_targets")), programs);
    let cargo = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in expected {
        let program = fs::read_to_string(fuzz().join("fuzz_targets").join(format!("{name}.rs"))).unwrap();
        assert!(program.contains(&format!("fuzzing::{name}(data)")), "{name}");
        assert!(cargo.contains(&format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
}
