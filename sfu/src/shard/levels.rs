//! What audio levels lead to: who is heard, who is shown, what people are told.

use super::Shard;
use crate::limits;
use std::time::Instant;
use weir_sfu_api::{Event, SpeakerState};
use weir_wire::ext::AudioLevel;

impl Shard {
    /// Takes the level of one packet of a track. For who is not on the floor and stays off it this
    /// is all that the packet costs.
    pub(super) fn note_level(&mut self, now: Instant, track: u32, level: Option<AudioLevel>) {
        if self.level_goes_home(track, level) {
            return;
        }
        let Some((voice, room)) =
            self.tracks.get(track).and_then(|track| Some((track.voice?, track.room)))
        else {
            return;
        };
        let Some(speakers) = self.rooms.get_mut(room).map(|room| &mut room.speakers) else {
            return;
        };
        let heard = speakers.hear(voice, level, now);
        if heard.floor {
            self.fill_listeners(now, room);
            self.tell_floor(room);
        }
        if heard.due {
            self.rank_speakers(now, room);
        }
    }

    /// Ranks a room's speakers: at most every [`limits::SPEAKER_INTERVAL`].
    pub(super) fn rank_speakers(&mut self, now: Instant, room_index: u32) {
        let Some(room) = self.rooms.get_mut(room_index) else { return };
        let ranked = room.speakers.rank(now);
        if ranked.list {
            let id = room.id;
            let speaking = room.speakers.speaking();
            let speakers = speaking
                .filter_map(|(key, level)| {
                    Some(SpeakerState { peer: self.peers.get(key)?.id, level })
                })
                .collect();
            self.events.push_back(Event::Speakers { room: id, speakers });
        }
        if ranked.floor {
            self.fill_listeners(now, room_index);
        }
        self.bring_into_view(now, room_index);
        if ranked.dominant {
            self.fill_dominant(now, room_index);
        }
        if ranked.floor || ranked.dominant {
            self.tell_floor(room_index);
        }
    }

    /// Silence is no packet: rooms in which nobody sends any more are looked at now and then.
    pub(super) fn rank_quiet_rooms(&mut self, now: Instant) {
        let lively: Vec<u32> = self
            .rooms
            .iter()
            .filter(|(_, room)| room.speakers.is_lively())
            .map(|(index, _)| index)
            .collect();
        for room in lively {
            self.rank_speakers(now, room);
        }
    }

    /// Brings one camera to the front of the order of speaking, if one should stand there: the
    /// dominant speaker's, which is the first; and somebody else's who speaks and stands behind
    /// those who spoke last. One at a time: what is shown changes at most five times a second.
    fn bring_into_view(&mut self, now: Instant, room_index: u32) {
        let Some(room) = self.rooms.get(room_index) else { return };
        let dominant = room.speakers.dominant().and_then(|peer| self.camera_of(peer));
        if let Some(camera) = dominant
            && room.cameras.first_key_value().is_none_or(|(_, first)| *first != camera)
        {
            return self.camera_rises(now, camera, None);
        }
        let late = room.speakers.speaking().find_map(|(peer, _)| {
            let camera = self.camera_of(peer)?;
            let key = self.tracks.get(camera)?.camera?;
            let most = limits::LOUDEST.saturating_add(1);
            (room.place(key, most) >= most).then_some(camera)
        });
        if let Some(camera) = late {
            self.camera_rises(now, camera, dominant);
        }
    }
}
