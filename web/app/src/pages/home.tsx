import type { MeetingSummary, Session, WeirClient } from '@weir/sdk';
import { useEffect, useState } from 'preact/hooks';
import { navigate, parseMeetingInput } from '../router.js';
import { Icon } from '../ui/icons.js';
import { describe, Field, Problem, TopBar } from '../ui/parts.js';

const HOUR_MS = 3_600_000;

/** Create a meeting, join one, see one's own. */
export function HomePage({ client, session }: { client: WeirClient; session: Session }) {
  return (
    <>
      <TopBar>
        <span class="who" data-testid="whoami">
          {session.user.nickname}
        </span>
        <button
          class="button"
          type="button"
          data-testid="logout"
          onClick={() => void client.logout()}
        >
          Log out
        </button>
      </TopBar>
      <main class="page">
        <h1>Meetings</h1>
        <div class="columns">
          <CreateForm client={client} />
          <JoinForm />
        </div>
        <MyMeetings client={client} />
      </main>
    </>
  );
}

function CreateForm({ client }: { client: WeirClient }) {
  const [title, setTitle] = useState('');
  const [password, setPassword] = useState('');
  const [webinar, setWebinar] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function submit(event: Event) {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    const now = Date.now();
    try {
      const meeting = await client.createMeeting({
        title,
        start_time: new Date(now).toISOString(),
        end_time: new Date(now + HOUR_MS).toISOString(),
        max_participants: 1000,
        meeting_type: 'video',
        ...(password ? { password } : {}),
        ...(webinar ? { settings: { who_may_publish: 'hosts' } } : {}),
      });
      navigate(`/m/${meeting.meeting_id}`);
    } catch (error) {
      setProblem(describe(error));
      setBusy(false);
    }
  }

  return (
    <form class="card stack" onSubmit={submit} data-testid="create-form">
      <h2>New meeting</h2>
      <Field
        label="Title"
        name="title"
        value={title}
        onInput={setTitle}
        required
        maxLength={100}
        placeholder="Weekly meeting"
      />
      <Field
        label="Password (optional)"
        name="meeting-password"
        type="password"
        value={password}
        onInput={setPassword}
        maxLength={50}
        autoComplete="new-password"
      />
      <label class="check">
        <input
          type="checkbox"
          checked={webinar}
          data-testid="create-webinar"
          onChange={(event) => setWebinar(event.currentTarget.checked)}
        />
        Webinar: only hosts are seen and heard
      </label>
      <Problem text={problem} />
      <button class="button primary wide" type="submit" disabled={busy} data-testid="create">
        <Icon name="plus" /> Create and enter
      </button>
    </form>
  );
}

function JoinForm() {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);

  function submit(event: Event) {
    event.preventDefault();
    const id = parseMeetingInput(text);
    if (id === null) setProblem('This is neither a meeting number nor a link.');
    else navigate(`/m/${id}`);
  }

  return (
    <form class="card stack" onSubmit={submit} data-testid="join-form">
      <h2>Join a meeting</h2>
      <Field
        label="Link or number"
        name="meeting"
        value={text}
        onInput={(value) => {
          setText(value);
          setProblem(null);
        }}
        required
        placeholder={`${location.origin}/m/…`}
        hint="Whoever invited you has it."
      />
      <Problem text={problem} />
      <button class="button primary wide" type="submit" data-testid="join-by-id">
        Join
      </button>
    </form>
  );
}

function MyMeetings({ client }: { client: WeirClient }) {
  const [meetings, setMeetings] = useState<MeetingSummary[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    client
      .listMeetings()
      .then(setMeetings)
      .catch((error) => setProblem(describe(error)));
  }, [client]);

  return (
    <section aria-labelledby="mine" class="card">
      <h2 id="mine">My meetings</h2>
      <Problem text={problem} />
      {meetings?.length === 0 && <p class="aside">None yet.</p>}
      <ul class="meeting-list" data-testid="my-meetings">
        {meetings?.map((meeting) => (
          <li key={meeting.meeting_id}>
            <div class="meeting-title">
              <strong>{meeting.title}</strong>
              <span class="aside">
                {new Date(meeting.start_time).toLocaleString()} · {meeting.status}
              </span>
            </div>
            {meeting.status === 'ended' || meeting.status === 'cancelled' ? null : (
              <a
                class="button"
                href={`/m/${meeting.meeting_id}`}
                aria-label={`Enter ${meeting.title}`}
                onClick={(event) => {
                  event.preventDefault();
                  navigate(`/m/${meeting.meeting_id}`);
                }}
              >
                Enter
              </a>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
