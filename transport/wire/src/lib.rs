//! RTP, RTCP, STUN, DTLS record and codec payload formats, read and edited in place.

pub mod train;
