-- Who may publish: all, hosts (hosts and moderators: a webinar).
ALTER TABLE meetings ADD COLUMN who_may_publish TEXT NOT NULL DEFAULT 'all';

-- Joining a meeting of a thousand must not count a thousand rows: the triggers below keep these.
ALTER TABLE meetings ADD COLUMN people BIGINT NOT NULL DEFAULT 0;   -- not hidden
ALTER TABLE meetings ADD COLUMN present BIGINT NOT NULL DEFAULT 0;  -- online or waiting

UPDATE meetings SET
    people = (SELECT COUNT(*) FROM participants p
        WHERE p.meeting_id = meetings.meeting_id AND NOT p.hidden),
    present = (SELECT COUNT(*) FROM participants p
        WHERE p.meeting_id = meetings.meeting_id AND p.status <> 'offline');

CREATE TRIGGER participant_came AFTER INSERT ON participants BEGIN
    UPDATE meetings SET
        people = people + NOT NEW.hidden,
        present = present + (NEW.status <> 'offline')
    WHERE meeting_id = NEW.meeting_id;
END;

CREATE TRIGGER participant_changed AFTER UPDATE OF status, hidden ON participants
WHEN OLD.status <> NEW.status OR OLD.hidden <> NEW.hidden BEGIN
    UPDATE meetings SET
        people = people + OLD.hidden - NEW.hidden,
        present = present + (NEW.status <> 'offline') - (OLD.status <> 'offline')
    WHERE meeting_id = NEW.meeting_id;
END;

CREATE TRIGGER participant_gone AFTER DELETE ON participants BEGIN
    UPDATE meetings SET
        people = people - NOT OLD.hidden,
        present = present - (OLD.status <> 'offline')
    WHERE meeting_id = OLD.meeting_id;
END;

-- Pages of people, in order of joining, without sorting all of them.
CREATE INDEX participants_in_order ON participants (meeting_id, joined_at, participant_id);
CREATE INDEX participants_by_status ON participants (meeting_id, status, joined_at, participant_id);
