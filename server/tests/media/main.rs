//! Meetings through the running binary, with independent WebRTC stacks as clients.

#[path = "../common/mod.rs"]
mod common;
mod harness;
#[path = "../common/running.rs"]
mod running;

mod a_handshake_with_another_certificate_fails;
mod a_meeting_works_over_ipv6;
mod a_meeting_works_where_io_uring_is_denied;
mod a_thousand_stalled_handshakes_are_bounded_and_freed;
mod a_whip_patch_restarts_ice;
mod active_and_passive_dtls_roles;
mod each_srtp_profile_connects;
mod handshakes_without_a_check_leave_no_state;
mod hostile_datagrams_are_counted_and_harm_nobody;
mod huge_offers_are_refused;
mod ice_restart_keeps_media;
mod malformed_websocket_frames_harm_nobody;
mod mmsg_backend_carries_a_meeting;
mod people_come_back_after_a_restart_of_the_server;
mod people_on_two_shards_meet;
mod renegotiation_adds_screen_share;
mod rsa_certificate_client_connects;
mod rtc_publishes_and_str0m_receives;
mod sigterm_tells_clients_and_exits_zero_within_5s;
mod str0m_publishes_and_rtc_receives;
mod three_rids_arrive_as_one_picture;
mod two_connections_of_one_user_are_two_peers;
mod vanished_peer_is_freed_within_consent_time;
