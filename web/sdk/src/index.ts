/** Weir's client for browsers: accounts and meetings over REST, signalling, media. */
export { ApiError, type ClientOptions, Code, WeirClient } from './client.js';
export {
  type DeviceChoice,
  type DeviceList,
  listDevices,
  openCamera,
  openMicrophone,
  openScreen,
} from './media.js';
export {
  type LocalMedia,
  Meeting,
  type MeetingEvents,
  type MeetingOptions,
  type MeetingState,
} from './meeting.js';
export type { Kind, MediaState, Source } from './messages.js';
export type { Participant } from './people.js';
export type { ConnectionStats, Quality } from './quality.js';
export type { EndReason } from './signaling.js';
export type { Slot, SlotCount } from './slots.js';
export type { Speaker } from './speakers.js';
export { MemoryStore, type Session, type SessionStore, WebStore } from './tokens.js';
export type { ChatMessage, MeetingInfo, MeetingSummary, NewMeeting } from './types.js';
