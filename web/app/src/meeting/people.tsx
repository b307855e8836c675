import type { Meeting, Participant } from '@weir/sdk';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from '../ui/icons.js';
import { Avatar, describe } from '../ui/parts.js';
import { useEvents } from './hooks.js';
import { Side } from './panels.js';
import type { TileView } from './tiles.js';

/** Height of one row in pixels, as in the style sheet. */
const ROW = 46;
/** Rows drawn above and below what is seen. */
const SPARE = 6;

/** Who is here: hands first, a thousand people in a few rows. */
export function PeoplePanel(props: {
  meeting: Meeting;
  self: TileView;
  /** Senders that are no participants too. */
  tiles: readonly TileView[];
  onClose: () => void;
  onProblem: (text: string) => void;
}) {
  const { meeting, self } = props;
  useEvents(meeting, ['participants', 'room']);
  const { waiting } = meeting.room;
  const known = new Map(meeting.participants.map((person) => [person.userId, person]));
  const hands = meeting.raisedHands;
  const order = (view: TileView) => {
    const place = hands.indexOf(view.userId);
    return place < 0 ? hands.length : place;
  };
  const all = [self, ...props.tiles]
    .map((view, index) => ({ view, index }))
    .sort((a, b) => order(a.view) - order(b.view) || a.index - b.index)
    .map(({ view }) => view);
  const total = Math.max(meeting.total, all.length);
  const run = (action: () => Promise<void> | boolean) => {
    Promise.resolve(action()).catch((error) => props.onProblem(describe(error)));
  };
  return (
    <Side title={`Participants (${total})`} testId="people" onClose={props.onClose}>
      {meeting.leads && <HostSwitches meeting={meeting} run={run} />}
      {waiting.length > 0 && (
        <section class="waiting" aria-label="Waiting to be let in" data-testid="waiting">
          <h3>Waiting ({waiting.length})</h3>
          <ul>
            {waiting.map((person) => (
              <li key={person.user_id}>
                <span class="grow">{person.nickname || person.username}</span>
                <button
                  class="button small primary"
                  type="button"
                  data-testid="admit"
                  onClick={() => meeting.admit(person.user_id)}
                >
                  Admit
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Rows count={total} known={all.length} onNeed={(n) => meeting.knowPeople(n).catch(() => {})}>
        {(index) => {
          const view = all[index];
          return view ? (
            <Row
              view={view}
              own={view === self}
              person={known.get(view.userId)}
              meeting={meeting}
              run={run}
            />
          ) : (
            <span class="aside">…</span>
          );
        }}
      </Rows>
    </Side>
  );
}

function HostSwitches(props: {
  meeting: Meeting;
  run: (a: () => Promise<void> | boolean) => void;
}) {
  const { meeting, run } = props;
  const { locked, settings, role } = meeting.room;
  const webinar = settings?.who_may_publish === 'hosts';
  return (
    <div class="host-switches">
      <label>
        <input
          type="checkbox"
          checked={locked}
          data-testid="lock"
          onChange={() => run(() => meeting.setLocked(!locked))}
        />
        Locked: nobody new comes in
      </label>
      {role === 'host' && (
        <label>
          <input
            type="checkbox"
            checked={webinar}
            data-testid="webinar"
            onChange={() =>
              run(() => meeting.changeSettings({ who_may_publish: webinar ? 'all' : 'hosts' }))
            }
          />
          Webinar: only hosts are seen and heard
        </label>
      )}
    </div>
  );
}

function Row(props: {
  view: TileView;
  own: boolean;
  person: Participant | undefined;
  meeting: Meeting;
  run: (action: () => Promise<void> | boolean) => void;
}) {
  const { view, own, person, meeting, run } = props;
  const id = view.userId;
  const role = own ? meeting.room.role : person?.role;
  const acts = meeting.leads && !own && person;
  return (
    <>
      <Avatar name={view.name} id={id} />
      <span class="grow">
        {view.name}
        {own ? ' (you)' : ''}
        {role && role !== 'participant' && <small class="role">{role}</small>}
      </span>
      {view.handRaised && (
        <span class="badge hand" data-testid="person-hand" title="Hand raised">
          <Icon name="hand" />
        </span>
      )}
      {acts && view.handRaised && (
        <Act icon="down" label="Lower hand" onClick={() => run(() => meeting.lowerHand(id))} />
      )}
      {acts && view.micOff && (
        <Act icon="ask" label="Ask to unmute" onClick={() => run(() => meeting.askUnmute(id))} />
      )}
      {acts && meeting.room.role === 'host' && role !== 'host' && (
        <Act
          icon={role === 'moderator' ? 'demote' : 'promote'}
          label={role === 'moderator' ? 'Make participant' : 'Make moderator'}
          onClick={() =>
            run(() => meeting.setRole(id, role === 'moderator' ? 'participant' : 'moderator'))
          }
        />
      )}
      <Icon name={view.micOff ? 'micOff' : 'mic'} />
      <Icon name={view.cameraOff ? 'cameraOff' : 'camera'} />
      <span class="sr-only">
        microphone {view.micOff ? 'off' : 'on'}, camera {view.cameraOff ? 'off' : 'on'}
      </span>
    </>
  );
}

function Act(props: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button
      class="act"
      type="button"
      title={props.label}
      aria-label={props.label}
      data-testid={`act-${props.icon}`}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

/** A list of which only what is seen is drawn. */
function Rows(props: {
  count: number;
  /** How many can be drawn now; more are asked for when they are scrolled to. */
  known: number;
  onNeed: (count: number) => void;
  // biome-ignore lint/suspicious/noExplicitAny: whatever Preact can show.
  children: (index: number) => any;
}) {
  const { count, known, onNeed } = props;
  const frame = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLUListElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  const first = Math.max(0, Math.floor(seen.top / ROW) - SPARE);
  const end = Math.min(count, Math.ceil((seen.top + seen.height) / ROW) + SPARE);
  useEffect(() => {
    inner.current?.style.setProperty('height', `${count * ROW}px`);
    inner.current?.style.setProperty('padding-top', `${first * ROW}px`);
  }, [count, first]);
  useEffect(() => {
    if (end > known) onNeed(end);
  }, [end, known]);
  const look = () => {
    const { scrollTop = 0, clientHeight = 600 } = frame.current ?? {};
    setSeen({ top: scrollTop, height: clientHeight });
  };
  useEffect(look, []);
  return (
    <div class="people" ref={frame} onScroll={look}>
      <ul ref={inner}>
        {Array.from({ length: Math.max(0, end - first) }, (_, n) => (
          <li
            key={first + n}
            data-testid="person"
            aria-setsize={count}
            aria-posinset={first + n + 1}
          >
            {props.children(first + n)}
          </li>
        ))}
      </ul>
    </div>
  );
}
