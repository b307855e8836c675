//! The words of the domain.

use poem_openapi::{Enum, Object};

/// Id of an account or guest: positive, below 2^53.
pub type UserId = i64;
/// Id of a meeting: 10 to 12 random digits. The room of the media plane has the same number.
pub type MeetingId = i64;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum, sqlx::Type)]
        #[oai(rename_all = "lowercase")]
        #[sqlx(type_name = "TEXT", rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All words.
            pub const WORDS: &'static [&'static str] = &[$($text,)*];

            /// The spelling in the API and the store.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value for a spelling.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words!(
    /// What a row of `users` stands for.
    UserKind {
        /// A registered person.
        Account = "account",
        /// Someone let in by an access token (docs/adr/0006-guests.md).
        Guest = "guest",
    }
);
words!(
    /// Standing of an account in the whole server.
    AccountRole {
        /// Anyone.
        User = "user",
        /// May do everything.
        Admin = "admin",
    }
);
words!(
    /// Standing of an account.
    AccountStatus {
        /// In use.
        Active = "active",
        /// Shut out.
        Banned = "banned",
        /// Gone; its row stays.
        Deleted = "deleted",
    }
);
words!(
    /// Where a meeting is in its life.
    MeetingStatus {
        /// Not started.
        Scheduled = "scheduled",
        /// Running.
        Ongoing = "ongoing",
        /// Over.
        Ended = "ended",
        /// Will not take place.
        Cancelled = "cancelled",
    }
);
words!(
    /// What a meeting carries.
    MeetingType {
        /// Audio and video.
        Video = "video",
        /// Audio only.
        Audio = "audio",
    }
);
words!(
    /// Whose camera, microphone and screen a meeting shows.
    WhoMayPublish {
        /// Everybody's.
        All = "all",
        /// Those of hosts and moderators: a webinar.
        Hosts = "hosts",
    }
);
words!(
    /// Standing of a participant in one meeting.
    Role {
        /// Leads; the creator always.
        Host = "host",
        /// Helps to lead.
        Moderator = "moderator",
        /// Takes part.
        Participant = "participant",
    }
);
words!(
    /// Where a participant is.
    Presence {
        /// In the meeting.
        Online = "online",
        /// Away.
        Offline = "offline",
        /// At the door.
        Waiting = "waiting",
    }
);

impl Role {
    /// Host or moderator.
    #[must_use]
    pub fn leads(self) -> bool {
        matches!(self, Self::Host | Self::Moderator)
    }
}

impl MeetingStatus {
    /// Ended or cancelled: nobody can join or change it.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Cancelled)
    }
}

/// Switches of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object, sqlx::FromRow)]
pub struct Settings {
    /// Record by itself from the start.
    pub enable_recording: bool,
    /// Everybody may chat; else hosts and moderators only.
    pub enable_chat: bool,
    /// Everybody may share a screen; else hosts and moderators only.
    pub enable_screen_share: bool,
    /// Who joins waits until admitted.
    pub enable_waiting_room: bool,
    /// Microphones start switched off.
    pub mute_on_join: bool,
    /// Who may be seen and heard.
    pub who_may_publish: WhoMayPublish,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enable_recording: false,
            enable_chat: true,
            enable_screen_share: true,
            enable_waiting_room: false,
            mute_on_join: false,
            who_may_publish: WhoMayPublish::All,
        }
    }
}
