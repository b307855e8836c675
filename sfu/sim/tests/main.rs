//! What the forwarding core does for people behind a network: one behaviour per file, named as a
//! sentence. Seeds are committed.

// The start of virtual time is the only clock read; `pub` means "for the other test files".
#![allow(clippy::disallowed_methods, unreachable_pub)]

mod common;

mod a_layer_that_stops_falls_back_and_no_packet_of_the_old_layer_follows;
mod a_leaving_peer_frees_everything;
mod a_moved_client_takes_its_media_along;
mod a_new_receiver_gets_a_key_frame;
mod a_publisher_with_three_rids_is_forwarded_in_its_best_layer;
mod a_receiver_without_the_codec_is_told;
mod an_outage_ends_with_a_key_frame;
mod consent_expiry_frees_everything;
mod copies_of_packets_are_dropped_once_and_for_all;
mod dominant_policy_follows_the_loudest;
mod each_codec_is_forwarded_and_switched_seamlessly;
mod equal_seeds_make_equal_runs;
mod five_percent_loss_is_recovered_without_duplicates_or_new_gaps;
mod forwarding_allocates_nothing_after_warm_up;
mod four_shards_serve_four_rooms_as_one_shard_does;
mod handshakes_of_strangers_leave_no_state;
mod hostile_datagrams_change_nothing;
mod key_frame_requests_of_many_receivers_become_one;
mod measures_notice_what_they_measure;
mod more_tracks_than_slots_ask_for_renegotiation;
mod padded_packets_arrive_intact;
mod real_handshakes_connect_people_through_loss;
mod renegotiation_keeps_slots_ssrcs;
mod sender_reports_keep_audio_and_video_in_sync;
mod sequence_wrap_is_seamless;
mod slots_fill_in_order_of_joining_and_stay;
mod ssrc_change_is_seamless;
mod transport_feedback_covers_every_packet;
mod two_people_see_and_hear_each_other;
mod withdrawn_rights_drop_media;
