#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        // libFuzzer's hook would end the process where the library for SDP panics, which is caught
        // and answered: only what comes out of the target counts.
        std::panic::set_hook(Box::new(|info| {
            let theirs = info.location().is_some_and(|place| place.file().contains("rtc-sdp"));
            if !theirs {
                eprintln!("{info}");
            }
        }));
    },
    |data: &[u8]| weir_fuzz_targets::sdp(data)
);
