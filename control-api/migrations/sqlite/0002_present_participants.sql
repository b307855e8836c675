-- Who is online or waiting is looked up every few seconds; most rows are neither.
CREATE INDEX participants_present ON participants (meeting_id, user_id) WHERE status <> 'offline';
