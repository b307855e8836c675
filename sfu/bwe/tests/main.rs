//! What the leg does on paths of all kinds: one behaviour per file, named as a sentence. Seeds are
//! committed; the figures are printed (`cargo nextest run -p weir-bwe --no-capture`).

// The start of virtual time is the only clock read; `pub` means "for the other test files".
#![allow(clippy::disallowed_methods, clippy::print_stdout, unreachable_pub)]

mod common;

mod a_layer_that_fits_stays;
mod a_longer_path_is_no_congestion;
mod a_squeeze_shows_through_jitter;
mod estimates_reach_the_capacity;
mod hostile_feedback_changes_nothing;
mod jitter_and_bursts_do_not_collapse_it;
mod little_to_send_neither_lifts_nor_sinks_it;
mod loss_of_our_own_making_backs_off;
mod random_loss_costs_little;
mod random_paths_are_used_and_not_flooded;
mod sending_and_feedback_allocate_nothing;
mod sequence_numbers_wrap_unnoticed;
mod silence_ends_at_a_safe_rate;
mod the_rate_follows_a_squeeze_and_comes_back;
