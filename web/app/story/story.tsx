// The meeting page over a meeting that is not there: for looking at layouts with many people.
// `npm run dev -w @weir/app`, then /story/?people=12&layout=speaker&share=1&panel=people&role=host
import type {
  LocalMedia,
  Meeting,
  MeetingInfo,
  Participant,
  RoomState,
  Session,
  Slot,
  View,
} from '@weir/sdk';
import { render } from 'preact';
import { Room } from '../src/meeting/room.js';
import '../src/styles/base.css';
import '../src/styles/pages.css';
import '../src/styles/meeting.css';
import '../src/styles/panels.css';

const words = new URLSearchParams(location.search);
const number = (name: string, usual: number) => Number(words.get(name) ?? usual);
const NAMES = ['Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Edsger D.', 'Barbara Liskov', 'Ken'];
/** Whose pictures the path does not carry: `paused=2,4`. */
const paused = new Set(words.get('paused')?.split(',').map(Number));
const nameOf = (id: number) =>
  id <= NAMES.length ? (NAMES[id - 1] ?? '') : `Participant number ${id}`;

/** A picture that moves, of one colour. */
function picture(id: number, width = 640, height = 360): MediaStreamTrack {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  const stream = canvas.captureStream(2);
  const draw = () => {
    if (!context) return;
    context.fillStyle = `hsl(${(id * 67) % 360} 45% 35%)`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#fffc';
    context.font = `${height / 4}px sans-serif`;
    context.fillText(`${id} · ${new Date().getSeconds()}`, width / 8, height / 2);
  };
  draw();
  setInterval(draw, 500);
  return stream.getVideoTracks()[0] as MediaStreamTrack;
}

class FakeMeeting {
  readonly meetingId = 4711;
  readonly userId = 1000;
  state = 'connected';
  chat = [];
  view: View = { tiles: [] };
  slots: Slot[] = [];
  total = number('people', 5);
  leads = words.get('role') === 'host';
  handRaised = false;
  raisedHands: number[] = words.has('hands') ? [3, 2] : [];
  participants: Participant[];
  local: LocalMedia;
  room: RoomState;
  private readonly heard = new Map<string, Set<(value: unknown) => void>>();
  private readonly tracks = new Map<string, MediaStreamTrack>();

  constructor() {
    const known = Math.min(this.total - 1, 49);
    this.participants = Array.from({ length: known }, (_, n) => ({
      userId: n + 1,
      username: `user${n + 1}`,
      name: nameOf(n + 1),
      role: n === 0 && !this.leads ? 'host' : 'participant',
      media: { audio: n % 3 !== 1, video: n % 5 !== 3, screen: false },
      handRaised: this.raisedHands.includes(n + 1),
    }));
    const may = words.get('role') !== 'viewer';
    this.local = { audio: may, video: may, screen: false, tracks: {} };
    if (may) this.local.tracks = { camera: picture(1000) };
    this.room = {
      role: this.leads ? 'host' : 'participant',
      may: { audio: may, video: may, screen: may },
      settings: null,
      title: null,
      locked: words.has('locked'),
      waiting: words.has('waiting') ? [{ user_id: 77, username: 'Margaret Hamilton' }] : [],
    };
  }

  on(name: string, listener: (value: unknown) => void): () => void {
    const all = this.heard.get(name) ?? new Set();
    this.heard.set(name, all.add(listener));
    if (name === 'speakers') setTimeout(() => listener([{ userId: 2, level: 0.5 }]), 50);
    if (name === 'ask-unmute' && words.has('asked')) setTimeout(() => listener({ from: 1 }), 50);
    return () => all.delete(listener);
  }

  private tell(name: string, value: unknown): void {
    for (const listener of this.heard.get(name) ?? []) listener(value);
  }

  /** As the server would: pictures of what is shown, and of nothing else. */
  setView(view: View): void {
    this.view = view;
    this.slots = view.tiles.map((tile, n) => {
      const key = `${tile.source}-${tile.userId}`;
      const track = this.tracks.get(key) ?? picture(tile.userId);
      this.tracks.set(key, track);
      return slot(n, tile.userId, tile.source, track);
    });
    if (words.has('share') && !view.tiles.some((tile) => tile.source === 'screen')) {
      this.slots.push(slot(99, 1, 'screen', picture(7, 1920, 1080)));
    }
    this.tell('slots', this.slots);
  }

  react(reaction: string): boolean {
    for (const userId of [1000, 1, 2, 5]) this.tell('reaction', { userId, reaction });
    return true;
  }

  setHandRaised(raised: boolean): boolean {
    this.handRaised = raised;
    this.tell('participants', this.participants);
    return true;
  }

  knowPeople = async () => {};
  unpublish() {}
  setMuted() {}
  lowerHand = () => true;
  askUnmute = () => true;
  admit = () => true;
  setLocked = () => true;
  changeSettings = async () => {};
  setRole = async () => {};
}

function slot(n: number, userId: number, source: Slot['source'], track: MediaStreamTrack): Slot {
  return {
    mid: String(n),
    kind: 'video',
    userId,
    username: nameOf(userId),
    source,
    rid: null,
    muted: false,
    unavailable: false,
    pausedBy: paused.has(userId) ? 'bandwidth' : null,
    track,
  };
}

const meeting = new FakeMeeting();
(window as unknown as { __story: FakeMeeting }).__story = meeting;
const session = { user: { user_id: 1000, username: 'me', nickname: 'Me Myself' } } as Session;
const info = {
  title: 'Weekly meeting of everybody',
  settings: {
    enable_chat: true,
    who_may_publish: words.get('role') === 'viewer' ? 'hosts' : 'all',
  },
} as MeetingInfo;
const root = document.getElementById('app');
if (root) {
  render(
    <Room
      meeting={meeting as unknown as Meeting}
      session={session}
      info={info}
      chosen={{ microphone: '', camera: '' }}
      onLeave={() => {}}
    />,
    root,
  );
}
