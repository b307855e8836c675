//! The load generator against the real server: does it tell what is?

#[path = "../common/mod.rs"]
mod common;
mod harness;
#[path = "../common/running.rs"]
mod running;

mod a_small_meeting_runs_to_its_end;
mod loss_in_the_server_is_told_as_it_is;
