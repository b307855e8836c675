//! What the forwarding core does for people behind a network: one behaviour per file, named as a
//! sentence. Seeds are committed.

// The start of virtual time is the only clock read; `pub` means "for the other test files".
#![allow(clippy::disallowed_methods, unreachable_pub)]

mod common;

mod five_percent_loss_is_recovered_without_duplicates_or_new_gaps;
mod two_people_see_and_hear_each_other;
