//! A seeded network, fake peers and a virtual clock around the forwarding core.
