//! UDP in and out: io_uring and recvmmsg/sendmmsg backends with GRO and GSO.
