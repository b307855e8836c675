//! What a participant may send and receive, as the shard enforces it.

use crate::domain::identity::Grants;
use crate::domain::types::{MeetingType, Presence, Role, Settings, WhoMayPublish};
use weir_sfu_api::Rights;

/// Whether a participant may be seen and heard at all.
pub(crate) fn may_publish(settings: &Settings, role: Role, grants: Grants) -> bool {
    grants.publish && (settings.who_may_publish == WhoMayPublish::All || role.leads())
}

/// Rights of a participant. `silenced` is `mute_on_join` before the microphone was switched on.
pub(crate) fn rights(
    meeting_type: MeetingType,
    settings: &Settings,
    role: Role,
    presence: Presence,
    grants: Grants,
    silenced: bool,
) -> Rights {
    if presence == Presence::Waiting {
        return Rights::NONE;
    }
    let publish = may_publish(settings, role, grants);
    let video = publish && meeting_type == MeetingType::Video;
    Rights {
        publish_audio: publish && !silenced,
        publish_video: video,
        publish_screen: video && (settings.enable_screen_share || role.leads()),
        subscribe: grants.subscribe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(meeting_type: MeetingType, settings: &Settings, role: Role, silenced: bool) -> Rights {
        rights(meeting_type, settings, role, Presence::Online, Grants::ALL, silenced)
    }

    #[test]
    fn rules_of_the_meeting_hold() {
        let settings = Settings { enable_screen_share: false, ..Settings::default() };
        let anyone = of(MeetingType::Video, &settings, Role::Participant, false);
        assert_eq!(anyone, Rights { publish_screen: false, ..Rights::ALL });
        assert_eq!(of(MeetingType::Video, &settings, Role::Moderator, false), Rights::ALL);
        let webinar = Settings { who_may_publish: WhoMayPublish::Hosts, ..Settings::default() };
        let listener = Rights { subscribe: true, ..Rights::NONE };
        assert_eq!(of(MeetingType::Video, &webinar, Role::Participant, false), listener);
        assert_eq!(of(MeetingType::Video, &webinar, Role::Moderator, false), Rights::ALL);
        let audio = of(MeetingType::Audio, &settings, Role::Host, true);
        let none_but_listening = Rights { subscribe: true, ..Rights::NONE };
        assert_eq!(audio, none_but_listening);
        let at_the_door = rights(
            MeetingType::Video,
            &settings,
            Role::Participant,
            Presence::Waiting,
            Grants::ALL,
            false,
        );
        assert_eq!(at_the_door, Rights::NONE);
    }
}
