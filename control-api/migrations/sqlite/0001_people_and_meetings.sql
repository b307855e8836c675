-- Times are milliseconds since 1970 (UTC). Keys ending in _key are lower case.
CREATE TABLE users (
    user_id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,                 -- account, guest (docs/adr/0006-guests.md)
    username TEXT NOT NULL,
    username_key TEXT UNIQUE,           -- NULL for guests and deleted accounts
    email TEXT NOT NULL,
    email_key TEXT UNIQUE,
    nickname TEXT NOT NULL,
    avatar_url TEXT NOT NULL DEFAULT '',
    password_hash TEXT,
    role TEXT NOT NULL DEFAULT 'user',
    status TEXT NOT NULL DEFAULT 'active',
    banned_until BIGINT,
    token_generation BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_login BIGINT
);

CREATE TABLE sessions (
    sid TEXT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (user_id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX sessions_of_user ON sessions (user_id);

CREATE TABLE invitations (
    hash TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    key_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE TABLE meetings (
    meeting_id BIGINT PRIMARY KEY,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    search_key TEXT NOT NULL,           -- title and description in lower case
    start_time BIGINT NOT NULL,
    end_time BIGINT NOT NULL,
    max_participants BIGINT NOT NULL,
    meeting_type TEXT NOT NULL,
    status TEXT NOT NULL,
    creator_id BIGINT NOT NULL REFERENCES users (user_id),
    password_hash TEXT,
    enable_recording BOOLEAN NOT NULL,
    enable_chat BOOLEAN NOT NULL,
    enable_screen_share BOOLEAN NOT NULL,
    enable_waiting_room BOOLEAN NOT NULL,
    mute_on_join BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    deleted_at BIGINT
);
CREATE INDEX meetings_of_creator ON meetings (creator_id);

CREATE TABLE participants (
    participant_id INTEGER PRIMARY KEY AUTOINCREMENT,
    meeting_id BIGINT NOT NULL REFERENCES meetings (meeting_id),
    user_id BIGINT NOT NULL REFERENCES users (user_id),
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    invited BOOLEAN NOT NULL,           -- added beforehand: needs neither password nor waiting
    admitted BOOLEAN NOT NULL,          -- has passed password and waiting room
    has_joined BOOLEAN NOT NULL,
    hidden BOOLEAN NOT NULL,
    token_id TEXT,                      -- the access token of a guest
    joined_at BIGINT NOT NULL,
    UNIQUE (meeting_id, user_id)
);
CREATE INDEX participants_of_user ON participants (user_id);

CREATE TABLE messages (
    message_id INTEGER PRIMARY KEY AUTOINCREMENT,
    meeting_id BIGINT NOT NULL REFERENCES meetings (meeting_id),
    user_id BIGINT NOT NULL REFERENCES users (user_id),
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX messages_of_meeting ON messages (meeting_id, message_id);

CREATE TABLE tickets (
    hash TEXT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (user_id),
    meeting_id BIGINT NOT NULL REFERENCES meetings (meeting_id),
    sid TEXT NOT NULL,
    token_generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX tickets_of_user ON tickets (user_id, meeting_id);

CREATE TABLE access_tokens (
    token_id TEXT PRIMARY KEY,
    meeting_id BIGINT NOT NULL REFERENCES meetings (meeting_id),
    hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    can_publish BOOLEAN NOT NULL,
    can_subscribe BOOLEAN NOT NULL,
    can_publish_data BOOLEAN NOT NULL,
    hidden BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    max_uses BIGINT,
    uses BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX access_tokens_of_meeting ON access_tokens (meeting_id);
