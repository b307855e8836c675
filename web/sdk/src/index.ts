/** Weir's client for browsers: accounts and meetings over REST, signalling, media. */
export { ApiError, type ClientOptions, Code, WeirClient } from './client.js';
export type {
  LocalMedia,
  MeetingEvents,
  MeetingOptions,
  MeetingState,
  RoomState,
} from './events.js';
export {
  type DeviceChoice,
  type DeviceList,
  listDevices,
  openCamera,
  openMicrophone,
  openScreen,
} from './media.js';
export { Meeting } from './meeting.js';
export type { Kind, MediaState, PausedBy, Role, Source, WaitingMessage } from './messages.js';
export type { Participant } from './people.js';
export type { PublishOptions } from './publishing.js';
export type { ConnectionStats, Quality } from './quality.js';
export type { EndReason } from './signaling.js';
export type { Slot, SlotCount } from './slots.js';
export type { Speaker } from './speakers.js';
export { MemoryStore, type Session, type SessionStore, WebStore } from './tokens.js';
export type {
  ChatMessage,
  MeetingInfo,
  MeetingSettings,
  MeetingSummary,
  NewMeeting,
} from './types.js';
export type { View, ViewTile } from './view.js';
