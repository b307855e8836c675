//! Offers: what a peer sends and receives, and what we answer.

use super::Shard;
use crate::ingress::publication::Publication;
use crate::ingress::remb::Remb;
use crate::limits;
use crate::slot::{Slot, SlotSeed};
use rand::RngExt;
use std::time::Instant;
use weir_session::{PeerTransport, TransportConfig};
use weir_sfu_api::{
    ApiError, Candidate, IceCredentials, MediaAnswer, MediaDescription, MediaSection, PeerId,
    ReplyBody, SectionAnswer, TransportAnswer, TransportDescription,
};

/// ice-char (RFC 8839 5.4) without `+` and `/`, so that it is safe everywhere.
const ICE_CHARS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Shard {
    pub(super) fn apply_offer(
        &mut self,
        now: Instant,
        id: PeerId,
        description: &MediaDescription,
    ) -> Result<ReplyBody, ApiError> {
        let key = self.peer_ids.get(&id).copied().ok_or(ApiError::UnknownPeer)?;
        if description.sections.len() > limits::SECTIONS {
            return Err(ApiError::BadOffer("more than 128 media sections".to_owned()));
        }
        let publishing =
            description.sections.iter().filter(|section| section.direction.sends()).count();
        if publishing > limits::TRACKS_PER_PEER {
            return Err(ApiError::BadOffer("more than 8 published tracks".to_owned()));
        }
        let transport = self.apply_transport(now, key, &description.transport)?;
        self.apply_publications(now, key, &description.sections);
        self.apply_slots(key, &description.sections);
        if let Some(peer) = self.peers.get_mut(key) {
            let open = peer.slots.iter().filter(|slot| slot.open).map(|slot| &slot.section);
            peer.leg.negotiate(now, open);
        }
        self.fill_slots(now, key);
        let tracks: Vec<u32> = self.peers.get(key).map_or_else(Vec::new, |peer| {
            peer.publications.iter().filter_map(|publication| publication.track).collect()
        });
        for track in tracks {
            self.tell_others_of_track(track);
        }
        if let Some(peer) = self.peers.get_mut(key) {
            peer.arm_reports(now);
        }
        self.reschedule(key);
        let peer = self.peers.get(key).ok_or(ApiError::UnknownPeer)?;
        let sections = description
            .sections
            .iter()
            .map(|section| {
                let slot = peer.slots.iter().find(|slot| slot.section.mid == section.mid);
                match slot.filter(|_| section.direction.receives()) {
                    Some(slot) => slot.answer.clone(),
                    None => SectionAnswer {
                        mid: section.mid,
                        ssrcs: None,
                        cname: String::new(),
                        stream_id: String::new(),
                        track_id: String::new(),
                    },
                }
            })
            .collect();
        Ok(ReplyBody::Answer { transport, media: MediaAnswer { sections } })
    }

    pub(super) fn restart_ice(
        &mut self,
        now: Instant,
        id: PeerId,
        remote: &TransportDescription,
    ) -> Result<ReplyBody, ApiError> {
        let key = self.peer_ids.get(&id).copied().ok_or(ApiError::UnknownPeer)?;
        let transport = self.apply_transport(now, key, remote)?;
        let peer = self.peers.get(key).ok_or(ApiError::UnknownPeer)?;
        let sections = peer.slots.iter().map(|slot| slot.answer.clone()).collect();
        self.reschedule(key);
        Ok(ReplyBody::Answer { transport, media: MediaAnswer { sections } })
    }

    /// Makes the transport with the first offer, restarts ICE when the client's credentials
    /// changed (RFC 8839 4.4.1.1.1), else leaves it.
    fn apply_transport(
        &mut self,
        now: Instant,
        key: u32,
        remote: &TransportDescription,
    ) -> Result<TransportAnswer, ApiError> {
        let fresh = self.credentials();
        let peer = self.peers.get_mut(key).ok_or(ApiError::UnknownPeer)?;
        match peer.transport.as_mut() {
            None => {
                peer.first_offer = Some(now);
                self.demux.insert_ufrag(&fresh.ufrag, key);
                let config = TransportConfig {
                    local: fresh,
                    remote: remote.clone(),
                    certificate: self.config.certificate.clone(),
                };
                peer.transport = Some(PeerTransport::new(config, now));
            }
            Some(transport) if peer.remote.as_ref().is_some_and(|old| old.ice != remote.ice) => {
                let old = transport.local_credentials().ufrag.clone();
                transport
                    .restart(fresh.clone(), remote, now)
                    .map_err(|error| ApiError::BadOffer(error.to_string()))?;
                // The old fragment stays good until a check comes with the new one.
                if let Some(older) = peer.old_ufrag.replace(old) {
                    self.demux.remove_ufrag(&older);
                }
                self.demux.insert_ufrag(&fresh.ufrag, key);
            }
            Some(_) => {
                let same =
                    peer.remote.as_ref().is_none_or(|old| old.fingerprints == remote.fingerprints);
                if !same {
                    return Err(ApiError::BadOffer(
                        "the fingerprint changed; that needs a new peer connection".to_owned(),
                    ));
                }
            }
        }
        peer.remote = Some(remote.clone());
        let transport = peer.transport.as_ref().ok_or(ApiError::UnknownPeer)?;
        let candidates =
            self.config.candidates.iter().map(|addr| Candidate { addr: *addr }).collect();
        Ok(TransportAnswer {
            ice: transport.local_credentials().clone(),
            fingerprint: self.config.certificate.fingerprint().clone(),
            setup: transport.setup(),
            candidates,
        })
    }

    /// The first check with the new credentials came: the ones before count no more.
    pub(super) fn forget_old_ufrag(&mut self, key: u32, current: &str) {
        let old = self.peers.get_mut(key).and_then(|peer| peer.old_ufrag.take());
        if let Some(old) = old.filter(|old| old != current) {
            self.demux.remove_ufrag(&old);
        }
    }

    /// 8 characters of user name fragment and 24 of password: 142 random bits (RFC 8445 5.3 asks
    /// for 24 and 128).
    fn credentials(&mut self) -> IceCredentials {
        let mut word = |len: usize| -> String {
            (0..len)
                .map(|_| {
                    let index = self.secret.random_range(0..ICE_CHARS.len());
                    ICE_CHARS.get(index).copied().map_or('A', char::from)
                })
                .collect()
        };
        IceCredentials { ufrag: word(8), pwd: word(24) }
    }

    fn apply_publications(&mut self, now: Instant, key: u32, sections: &[MediaSection]) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let mut ended = Vec::new();
        for (index, publication) in peer.publications.iter_mut().enumerate() {
            let section = sections.iter().find(|section| section.mid == publication.section.mid);
            match section.filter(|section| section.direction.sends()) {
                Some(section) => {
                    if publication.renew(section.clone(), &mut self.pool)
                        && let Ok(index) = u8::try_from(index)
                    {
                        peer.bindings.retain(|binding| binding.publication != index);
                    }
                }
                None => {
                    ended.extend(publication.track);
                    publication.section.direction = weir_sfu_api::Direction::Inactive;
                    publication.clear(&mut self.pool);
                    for layer in &mut publication.layers {
                        layer.stream = None;
                    }
                    if let Ok(index) = u8::try_from(index) {
                        peer.bindings.retain(|binding| binding.publication != index);
                    }
                }
            }
        }
        for section in sections.iter().filter(|section| section.direction.sends()) {
            if !peer.publications.iter().any(|known| known.section.mid == section.mid) {
                peer.publications.push(Publication::new(section.clone()));
            }
        }
        let mut feedback = peer
            .publications
            .iter()
            .filter(|publication| publication.section.direction.sends())
            .flat_map(|publication| &publication.section.payload_types)
            .map(|payload_type| payload_type.feedback);
        let (mut transport_cc, mut remb) = (false, false);
        for set in &mut feedback {
            transport_cc |= set.transport_cc;
            remb |= set.remb;
        }
        peer.remb = match (transport_cc, remb) {
            (false, true) => peer.remb.take().or_else(|| Some(Remb::default())),
            _ => None,
        };
        for track in ended {
            self.remove_track(now, track);
        }
    }

    fn apply_slots(&mut self, key: u32, sections: &[MediaSection]) {
        let mut closed = Vec::new();
        if let Some(peer) = self.peers.get_mut(key) {
            for (index, slot) in peer.slots.iter_mut().enumerate() {
                let section = sections.iter().find(|section| section.mid == slot.section.mid);
                match section.filter(|section| section.direction.receives()) {
                    Some(section) => {
                        slot.section = section.clone();
                        slot.outgoing = None;
                        slot.open = true;
                    }
                    None => {
                        slot.open = false;
                        closed.push(index);
                    }
                }
            }
        }
        for index in closed {
            self.assign_slot(key, index, None);
        }
        for section in sections.iter().filter(|section| section.direction.receives()) {
            let seed = SlotSeed {
                ssrc: self.public.random_range(1..u32::MAX),
                rtx_ssrc: self.public.random_range(1..u32::MAX),
                seq: self.public.random(),
                rtx_seq: self.public.random(),
                timestamp: self.public.random(),
            };
            let Some(peer) = self.peers.get_mut(key) else { return };
            if peer.slots.iter().any(|slot| slot.section.mid == section.mid) {
                continue;
            }
            let ordinal = peer.slot_count(section.kind);
            let cname = format!("weir-{:08x}", peer.feedback_ssrc);
            peer.slots.push(Slot::new(section.clone(), ordinal, &cname, seed));
            self.slots_changed(key);
        }
    }
}
