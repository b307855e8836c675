import type { MediaState, RightsMessage, Role, Source, WaitingMessage } from './messages.js';
import type { Participant } from './people.js';
import type { PublishOptions } from './publishing.js';
import type { ConnectionStats } from './quality.js';
import type { EndReason } from './signaling.js';
import type { Slot, SlotCount } from './slots.js';
import type { Speaker } from './speakers.js';
import type { ChatMessage, MeetingSettings } from './types.js';

/** Where a meeting stands. */
export type MeetingState = 'idle' | 'joining' | 'waiting' | 'connected' | 'reconnecting' | 'closed';

/** What {@link Meeting} tells. Each event carries the complete new value. */
export interface MeetingEvents {
  state: { state: MeetingState; reason: EndReason | null };
  participants: Participant[];
  slots: Slot[];
  chat: ChatMessage[];
  speakers: Speaker[];
  stats: ConnectionStats;
  /** Own sources changed. */
  local: LocalMedia;
  /** Own rights and role, settings, lock, who waits. */
  room: RoomState;
  reaction: { userId: number; reaction: string };
  /** A host asks to switch the microphone on. */
  'ask-unmute': { from: number };
  error: Error;
}

/** What holds in a meeting and for this client in it. */
export interface RoomState {
  role: Role;
  /** What one may send. */
  may: MediaState;
  settings: MeetingSettings | null;
  /** Null until it was changed. */
  title: string | null;
  locked: boolean;
  /** At the door; for hosts and moderators. */
  waiting: readonly WaitingMessage[];
}

/** What this client sends. */
export interface LocalMedia extends MediaState {
  tracks: Partial<Record<Source, MediaStreamTrack>>;
}

/** Options of {@link Meeting}. */
export interface MeetingOptions {
  meetingId: number;
  /** For a meeting with a password. */
  password?: string;
  /** Slots in the first offer. */
  slots?: SlotCount;
  /** Slots at most, however many people there are. */
  maxSlots?: SlotCount;
  /** How the camera is encoded. */
  publish?: PublishOptions;
  /** Time between two `stats` events in milliseconds. */
  statsEveryMs?: number;
}

/** A newcomer who has been told nothing yet. */
export const NEW_ROOM: RoomState = {
  role: 'participant',
  may: { audio: true, video: true, screen: true },
  settings: null,
  title: null,
  locked: false,
  waiting: [],
};

/** What one may send by the server's word. */
export function mayOf(rights: RightsMessage): MediaState {
  return {
    audio: rights.publish_audio,
    video: rights.publish_video,
    screen: rights.publish_screen,
  };
}

/** What of one's sources may be sent. */
export function allowed(local: MediaState, may: MediaState): MediaState {
  return {
    audio: local.audio && may.audio,
    video: local.video && may.video,
    screen: local.screen && may.screen,
  };
}
