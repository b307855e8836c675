#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        // As in sdp.rs: panics of the library for DTLS are caught, the peer dies.
        std::panic::set_hook(Box::new(|info| {
            let theirs = info.location().is_some_and(|place| place.file().contains("/rtc-"));
            if !theirs {
                eprintln!("{info}");
            }
        }));
    },
    |data: &[u8]| weir_fuzz_targets::shard(data)
);
