//! The forwarding core: shards, rooms, peers, tracks, subscriptions as pure state.
