import type { ConnectionStats, Meeting, MeetingInfo, Session } from '@weir/sdk';
import { useEffect, useState } from 'preact/hooks';
import { Controls, type Panel } from './controls.js';
import type { DeviceKind } from './devices.js';
import { useEvents, useSpeakers, useStats } from './hooks.js';
import { ChatPanel, PeoplePanel } from './panels.js';
import { ScreenTile, SlotAudio, Tile } from './tile.js';
import { remoteScreens, remoteTiles, type TileView } from './tiles.js';

/** The meeting itself. */
export function Room(props: {
  meeting: Meeting;
  session: Session;
  info: MeetingInfo | null;
  chosen: Record<DeviceKind, string>;
  onLeave: () => void;
}) {
  const { meeting, session, info } = props;
  useEvents(meeting, ['state', 'participants', 'slots', 'local']);
  const speakers = useSpeakers(meeting);
  const [panel, setPanel] = useState<Panel>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const unread = useUnread(meeting, panel === 'chat');

  useEffect(() => meeting.on('error', (error) => setProblem(error.message)), [meeting]);
  useEffect(() => {
    if (!problem) return;
    const timer = setTimeout(() => setProblem(null), 6000);
    return () => clearTimeout(timer);
  }, [problem]);

  const slots = meeting.slots;
  const people = meeting.participants;
  const tiles = remoteTiles(people, slots);
  const local = meeting.local;
  const self: TileView = {
    key: 'own',
    userId: session.user.user_id,
    name: session.user.nickname,
    track: local.tracks.camera,
    micOff: !local.audio,
    cameraOff: !local.video,
    unavailable: false,
    handRaised: meeting.handRaised,
  };
  const nameOf = (id: number) => tiles.find((t) => t.userId === id)?.name ?? '';
  const screens = remoteScreens(slots, nameOf);
  const ownScreen = local.tracks.screen;
  const featured = screens.length > 0 || ownScreen !== undefined;
  const count = Math.min(tiles.length + 1, 26);

  return (
    <div class={`room ${panel ? 'with-side' : ''}`} data-testid="room" data-state={meeting.state}>
      <header class="room-head">
        <h1>{info?.title ?? 'Meeting'}</h1>
        <QualityMark meeting={meeting} />
      </header>
      <Notice meeting={meeting} problem={problem} />
      <main class={`stage ${featured ? 'featured' : ''}`}>
        {featured && (
          <div class="screens">
            {screens.map((view) => (
              <ScreenTile key={view.key} view={view} />
            ))}
            {ownScreen && (
              <ScreenTile
                own
                view={{ key: 'own-screen', userId: self.userId, name: self.name, track: ownScreen }}
              />
            )}
          </div>
        )}
        <div class={`grid n-${count}`} data-testid="grid">
          {tiles.map((view) => (
            <Tile key={view.key} view={view} speaking={speakers.has(view.userId)} />
          ))}
          <Tile key="own" own view={self} speaking={false} />
        </div>
      </main>
      {panel === 'chat' && (
        <ChatPanel
          meeting={meeting}
          session={session}
          enabled={info?.settings?.enable_chat ?? true}
          onClose={() => setPanel(null)}
        />
      )}
      {panel === 'people' && (
        <PeoplePanel tiles={tiles} self={self} onClose={() => setPanel(null)} />
      )}
      <Controls
        meeting={meeting}
        chosen={props.chosen}
        panel={panel}
        unread={unread}
        canShare={
          (info?.settings?.enable_screen_share ?? true) &&
          'getDisplayMedia' in (navigator.mediaDevices ?? {})
        }
        onPanel={setPanel}
        onLeave={props.onLeave}
        onProblem={setProblem}
      />
      <div hidden>
        {slots
          .filter((slot) => slot.kind === 'audio')
          .map((slot) => (
            <SlotAudio key={slot.track.id} track={slot.track} />
          ))}
      </div>
    </div>
  );
}

/** A line above the tiles: reconnecting, waiting, errors. */
function Notice({ meeting, problem }: { meeting: Meeting; problem: string | null }) {
  const state = meeting.state;
  const text =
    state === 'reconnecting'
      ? 'The connection was lost. Reconnecting…'
      : state === 'waiting'
        ? 'Waiting until somebody lets you in…'
        : state === 'joining'
          ? 'Entering…'
          : problem;
  return (
    <div class="notice-place" role="status">
      {text && (
        <p class={`notice ${state}`} data-testid="notice" data-kind={state}>
          {text}
        </p>
      )}
    </div>
  );
}

const WORDS = {
  unknown: 'Connection: measuring',
  good: 'Connection: good',
  fair: 'Connection: fair',
  poor: 'Connection: poor',
  lost: 'Connection: lost',
} as const;

function QualityMark({ meeting }: { meeting: Meeting }) {
  const stats = useStats(meeting);
  const quality =
    meeting.state === 'reconnecting' ? 'lost' : stats ? stats.quality : ('unknown' as const);
  return (
    <div
      class={`quality ${quality}`}
      role="img"
      aria-label={WORDS[quality]}
      title={stats ? details(stats) : WORDS[quality]}
      data-testid="quality"
      data-quality={quality}
    >
      <i />
      <i />
      <i />
    </div>
  );
}

function details(stats: ConnectionStats): string {
  const kbit = (bits: number) => `${Math.round(bits / 1000)} kbit/s`;
  return [
    WORDS[stats.quality],
    stats.rttMs === null ? '' : `round trip ${Math.round(stats.rttMs)} ms`,
    `receiving ${kbit(stats.bitrateIn)}, ${(stats.lossIn * 100).toFixed(1)} % lost`,
    `sending ${kbit(stats.bitrateOut)}, ${(stats.lossOut * 100).toFixed(1)} % lost`,
  ]
    .filter(Boolean)
    .join('\n');
}

/** How many lines came since the chat was last open. */
function useUnread(meeting: Meeting, open: boolean): number {
  const [seen, setSeen] = useState(meeting.chat.length);
  useEvents(meeting, ['chat']);
  const total = meeting.chat.length;
  useEffect(() => {
    if (open) setSeen(total);
  }, [open, total]);
  return open ? 0 : Math.max(0, total - seen);
}
