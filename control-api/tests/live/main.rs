//! What people and encoders do over real sockets: one behaviour per file, named as a sentence.

mod harness;

mod a_broken_connection_resumes;
mod a_client_says_what_it_shows;
mod a_join_by_rest_alone_lapses;
mod a_locked_meeting_stays_closed;
mod a_rest_join_admits_one_connection;
mod every_credential_opens_the_websocket;
mod hands_stay_up_for_latecomers;
mod health_is_measured;
mod hostile_frames_end_in_errors;
mod hosts_see_who_waits;
mod large_meetings_tell_little;
mod messages_are_relayed;
mod numbers_and_sessions_for_administrators;
mod paths_of_receivers_are_measured;
mod people_join_and_leave_over_websocket;
mod publishers_send_the_layers_somebody_wants;
mod rights_reach_the_shard;
mod the_media_server_answers_offers;
mod the_server_ends_connections_with_a_reason;
mod the_waiting_room_holds_people_back;
mod webinars_show_hosts_only;
mod whep_plays;
mod whip_publishes;
