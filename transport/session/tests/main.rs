//! What the transport of a peer does: one behaviour per file, named as a sentence.

// The start of virtual time is the only clock read; `pub` means "for the other test files".
#![allow(clippy::disallowed_methods, unreachable_pub)]

mod common;

mod a_bad_check_is_dropped_and_changes_nothing;
mod a_check_in_the_controlled_role_is_told_to_switch;
mod a_client_hello_in_many_fragments_is_understood;
mod a_client_with_an_rsa_certificate_gets_in;
mod a_good_check_is_answered_and_validates_the_address;
mod a_handshake_that_stalls_fails_after_ten_seconds;
mod a_lost_flight_is_repeated_after_200_ms;
mod a_moved_client_takes_its_media_along;
mod a_passive_client_is_called_by_the_server;
mod an_ice_restart_keeps_media_running;
mod any_of_several_fingerprints_is_accepted;
mod checks_count_once_and_from_one_address;
mod closing_is_told_to_the_other_side;
mod consent_ends_thirty_seconds_after_the_last_check;
mod dtls_from_an_unknown_address_is_dropped;
mod garbage_does_not_stop_a_handshake;
mod gcm128_is_chosen_whenever_the_client_has_it;
mod lost_flights_are_sent_again;
mod srtp_agrees_with_rtc_srtp;
mod srtp_refuses_replays_and_forgeries;
mod the_wrong_certificate_is_refused;
