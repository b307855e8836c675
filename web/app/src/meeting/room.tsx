import {
  type ConnectionStats,
  type Meeting,
  type MeetingInfo,
  openMicrophone,
  type Session,
} from '@weir/sdk';
import { useEffect, useState } from 'preact/hooks';
import { Icon } from '../ui/icons.js';
import { describe } from '../ui/parts.js';
import { Controls, type Panel } from './controls.js';
import type { DeviceKind } from './devices.js';
import { useEvents, useSpeakers, useStats } from './hooks.js';
import { ChatPanel } from './panels.js';
import { PeoplePanel } from './people.js';
import { Reactions } from './reactions.js';
import { type Layout, Stage } from './stage.js';
import { SlotAudio } from './tile.js';
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
  useEvents(meeting, ['state', 'participants', 'slots', 'local', 'room']);
  const speakers = useSpeakers(meeting);
  const [panel, setPanel] = useState<Panel>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [layout, setLayout] = useState<Layout>('grid');
  const [pinned, setPinned] = useState<number | null>(null);
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
    paused: false,
    handRaised: meeting.handRaised,
  };
  const nameOf = (id: number) => tiles.find((t) => t.userId === id)?.name ?? '';
  const screens = remoteScreens(slots, nameOf);
  const { may, settings, locked, title } = meeting.room;
  const webinar = (settings ?? info?.settings)?.who_may_publish === 'hosts';
  const leaders = new Set(people.filter((p) => p.role !== 'participant').map((p) => p.userId));
  const shareAllowed = may.screen && 'getDisplayMedia' in (navigator.mediaDevices ?? {});

  return (
    <div class={`room ${panel ? 'with-side' : ''}`} data-testid="room" data-state={meeting.state}>
      <header class="room-head">
        <h1>{title ?? info?.title ?? 'Meeting'}</h1>
        <span class="aside" data-testid="total">
          {meeting.total === 1 ? 'only you' : `${meeting.total} people`}
        </span>
        {locked && (
          <span class="tag" data-testid="locked">
            <Icon name="lock" /> Locked
          </span>
        )}
        {webinar && (
          <span class="tag" data-testid="webinar-tag">
            Webinar
          </span>
        )}
        <div class="head-end">
          <LayoutSwitch layout={layout} onLayout={setLayout} />
          <QualityMark meeting={meeting} />
        </div>
      </header>
      <Notice meeting={meeting} problem={problem} />
      <AskedToUnmute meeting={meeting} onProblem={setProblem} />
      <Stage
        meeting={meeting}
        layout={layout}
        webinar={webinar}
        tiles={webinar ? tiles.filter((tile) => tile.track || leaders.has(tile.userId)) : tiles}
        screens={screens}
        ownScreen={local.tracks.screen}
        self={self}
        speakers={speakers}
        pinned={pinned}
        onPin={setPinned}
      />
      <Reactions
        meeting={meeting}
        nameOf={(id) => (id === self.userId ? 'You' : nameOf(id) || `Guest ${id}`)}
      />
      {panel === 'chat' && (
        <ChatPanel
          meeting={meeting}
          session={session}
          enabled={(settings ?? info?.settings)?.enable_chat !== false || meeting.leads}
          onClose={() => setPanel(null)}
        />
      )}
      {panel === 'people' && (
        <PeoplePanel
          meeting={meeting}
          tiles={tiles}
          self={self}
          onClose={() => setPanel(null)}
          onProblem={setProblem}
        />
      )}
      <Controls
        meeting={meeting}
        chosen={props.chosen}
        panel={panel}
        unread={unread}
        canShare={shareAllowed}
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

function LayoutSwitch(props: { layout: Layout; onLayout: (layout: Layout) => void }) {
  const choices = [
    ['grid', 'Grid view'],
    ['speaker', 'Speaker view'],
  ] as const;
  return (
    <div class="layout-switch" role="toolbar" aria-label="View">
      {choices.map(([layout, label]) => (
        <button
          key={layout}
          class={`button round plain ${props.layout === layout ? 'on' : ''}`}
          type="button"
          title={label}
          aria-label={label}
          aria-pressed={props.layout === layout}
          data-testid={`layout-${layout}`}
          onClick={() => props.onLayout(layout)}
        >
          <Icon name={layout} />
        </button>
      ))}
    </div>
  );
}

/** A host's question. The microphone is never switched on without the answer. */
function AskedToUnmute(props: { meeting: Meeting; onProblem: (text: string) => void }) {
  const { meeting } = props;
  const [asked, setAsked] = useState(false);
  useEffect(() => meeting.on('ask-unmute', () => setAsked(!meeting.local.audio)), [meeting]);
  if (!asked) return null;
  return (
    <div class="asked" role="alertdialog" aria-label="Unmute?" data-testid="asked">
      <p>A host asks you to switch your microphone on.</p>
      <div class="row">
        <button
          class="button primary"
          type="button"
          data-testid="unmute"
          onClick={() => {
            setAsked(false);
            unmute(meeting).catch((error) => props.onProblem(describe(error)));
          }}
        >
          Unmute
        </button>
        <button class="button" type="button" onClick={() => setAsked(false)}>
          Not now
        </button>
      </div>
    </div>
  );
}

async function unmute(meeting: Meeting): Promise<void> {
  if (meeting.local.tracks.microphone) meeting.setMuted('microphone', false);
  else meeting.publish('microphone', await openMicrophone());
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
