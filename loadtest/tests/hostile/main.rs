//! The tool against servers that do not do what they should: each ends it with a clear error and exit code 3.

mod harness;

mod a_redirect_is_followed;
mod a_refused_connection_says_so;
mod a_silent_media_port_is_told_with_its_address;
mod a_silent_server_ends_the_run;
mod a_wrong_command_line_is_a_usage_error;
mod an_unauthorized_run_asks_for_a_token;
mod broken_session_descriptions_are_explained;
