//! SDP offer and answer for a selective-forwarding server, pure.
