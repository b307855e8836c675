//! REST, WebSocket signalling, WHIP and WHEP, and the store.
