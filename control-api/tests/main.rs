//! What the control plane does: one behaviour per file, named as a sentence.

// `pub` means "for the other test files".
#![allow(unreachable_pub, missing_docs)]

mod common;

mod access_tokens_let_guests_in;
mod answers_come_in_the_envelope;
mod browsers_need_a_csrf_token;
mod everyone_gets_an_openapi_document;
mod fields_keep_their_rules;
mod forwarded_headers_count_from_trusted_proxies_only;
mod limits_hold_where_they_are_on;
mod meetings_are_made_listed_and_ended;
mod meetings_never_hold_more_than_they_may;
mod metrics_and_health_tell_the_state;
mod only_who_may_may;
mod other_origins_stay_out;
mod passwords_and_sessions_end_when_told;
mod people_register_once_and_log_in;
mod people_talk_in_meetings;
mod the_first_administrator_comes_from_configuration;
mod the_page_is_served_safely;
mod tickets_work_once;
mod waiting_rooms_hold_people_until_admitted;
