//! One peer's transport as a pure state machine: ICE-lite, DTLS, SRTP.
