import type { ChatMessage, JoinInfo, MeetingSettings, ParticipantInfo } from './types.js';

/** Audio or video. */
export type Kind = 'audio' | 'video';
/** What a published track shows. */
export type Source = 'camera' | 'microphone' | 'screen' | 'screen_audio';

/** A participant's own statement of what it sends. */
export interface MediaState {
  audio: boolean;
  video: boolean;
  screen: boolean;
}

/** Why nothing is sent in a slot: the path carries no more, or the client's own view says so. */
export type PausedBy = 'bandwidth' | 'view';

/** One slot as the server tells it. */
export interface SlotMessage {
  mid: string;
  kind: Kind;
  user_id?: number | null;
  track?: string | null;
  rid?: string | null;
  username?: string | null;
  source?: string | null;
  muted?: boolean | null;
  unavailable?: boolean | null;
  paused_by?: PausedBy | null;
}

/** One layer of a published track, and whether somebody wants it. */
export interface LayerMessage {
  /** Null where there is only one. */
  rid: string | null;
  active: boolean;
}

/** What a client may do, as the server tells it. */
export interface RightsMessage {
  publish_audio: boolean;
  publish_video: boolean;
  publish_screen: boolean;
  subscribe: boolean;
}

/** Somebody at the door. */
export interface WaitingMessage {
  user_id: number;
  username: string;
  nickname?: string | null;
}

export type Role = 'host' | 'moderator' | 'participant';

/** A participant in a `join` answer or `user-joined`. */
export type PersonMessage = Pick<ParticipantInfo, 'user_id' | 'username'> &
  Partial<ParticipantInfo> & { media_state?: Partial<MediaState> | null };

/** What the server answers to `join`. */
export interface JoinAnswer {
  status: 'joined' | 'waiting';
  session_id?: string;
  peer_id?: string;
  room_id?: string;
  participants?: PersonMessage[];
  participants_total?: number;
  /** How many are here now, oneself included. */
  online_total?: number;
  /** Raised hands, first raised first. */
  hands?: { user_id: number; raised_at?: string }[];
  locked?: boolean;
  settings?: MeetingSettings;
  rights?: RightsMessage;
  role?: Role;
  /** For hosts and moderators. */
  waiting?: WaitingMessage[];
  ice_servers?: JoinInfo['ice_servers'];
  /** The server's idea of what we send; audio false where the meeting silences newcomers. */
  media_state?: Partial<MediaState>;
  /** Takes the session up again after a short break. */
  resume_token?: string;
  /** The session of the resume token goes on: the PeerConnection is still known. */
  resumed?: boolean;
}

/** `data` by message type, from the server. */
export interface ServerData {
  join: JoinAnswer;
  answer: { type: 'answer'; sdp: string };
  slots: { slots: SlotMessage[] };
  speakers: { speakers: { user_id: number; level: number }[] };
  renegotiate: {
    reason?: string;
    ice_restart?: boolean;
    /** The server's end is gone: only a new PeerConnection helps. */
    new_connection?: boolean;
  };
  chat: ChatMessage;
  'media-state': Partial<MediaState>;
  layers: { mid: string; layers: LayerMessage[] };
  rights: { role: Role; rights: RightsMessage };
  'role-changed': { user_id: number; role: Role };
  'meeting-updated': { title: string; settings: MeetingSettings };
  waiting: { waiting: WaitingMessage[]; total: number };
  reaction: { user_id: number; reaction: string };
  'ask-unmute': object;
  lock: { locked: boolean };
  'raise-hand': { user_id?: number };
  'lower-hand': { user_id?: number };
  'user-joined': PersonMessage;
  'user-left': { user_id: number; username?: string; reason?: string };
  'participants-changed': { joined: PersonMessage[]; left: { user_id: number }[]; total: number };
  error: { code: number; message: string; ref_type?: string };
}

/** A message from the server, told apart by `type`. */
export type ServerMessage = {
  [T in keyof ServerData]: {
    type: T;
    from: number;
    to?: number;
    meeting_id?: number;
    data: ServerData[T];
  };
}[keyof ServerData];

/** Reads one text frame; null for what is no message. Unknown types pass and are ignored later. */
export function parseMessage(text: unknown): ServerMessage | null {
  if (typeof text !== 'string') return null;
  try {
    const value = JSON.parse(text) as Partial<ServerMessage> | null;
    if (!value || typeof value !== 'object' || typeof value.type !== 'string') return null;
    return {
      ...value,
      from: Number(value.from ?? 0),
      data: value.data ?? {},
    } as ServerMessage;
  } catch {
    return null;
  }
}
