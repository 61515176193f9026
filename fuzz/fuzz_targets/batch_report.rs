#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    stored_ami_core::fuzzing::batch_report(data);
});
