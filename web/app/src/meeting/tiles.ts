import type { Participant, Slot } from '@weir/sdk';

/** What one tile shows. */
export interface TileView {
  key: string;
  userId: number;
  name: string;
  /** The picture, when there is one. */
  track: MediaStreamTrack | undefined;
  micOff: boolean;
  cameraOff: boolean;
  unavailable: boolean;
  /** The path carries no picture of them for now. */
  paused: boolean;
  handRaised: boolean;
}

/** A screen that is shared. */
export interface ScreenView {
  key: string;
  userId: number;
  name: string;
  track: MediaStreamTrack;
  /** The path carries nothing of it for now. */
  paused: boolean;
}

/**
 * Tiles of the others. Everybody present has one; so has who only sends (a WHIP publisher is no
 * participant of the signalling).
 */
export function remoteTiles(people: readonly Participant[], slots: readonly Slot[]): TileView[] {
  const tiles = new Map<number, TileView>();
  const tile = (userId: number, name: string): TileView => {
    let found = tiles.get(userId);
    if (!found) {
      found = {
        key: `user-${userId}`,
        userId,
        name,
        track: undefined,
        micOff: true,
        cameraOff: true,
        unavailable: false,
        paused: false,
        handRaised: false,
      };
      tiles.set(userId, found);
    }
    return found;
  };
  for (const person of people) {
    const view = tile(person.userId, person.name);
    view.micOff = person.media.audio === false;
    view.cameraOff = person.media.video === false;
    view.handRaised = person.handRaised;
  }
  for (const slot of slots) {
    if (slot.userId === null) continue;
    if (slot.source !== 'camera' && slot.source !== 'microphone') continue;
    const known = tiles.has(slot.userId);
    const view = tile(slot.userId, slot.username || `Guest ${slot.userId}`);
    if (slot.source === 'camera') {
      view.track = slot.track;
      view.cameraOff = slot.muted || (known && view.cameraOff);
      view.unavailable = slot.unavailable;
      view.paused = slot.pausedBy === 'bandwidth';
    } else {
      view.micOff = slot.muted || (known && view.micOff);
    }
  }
  return [...tiles.values()];
}

/** Screens shared by others. */
export function remoteScreens(slots: readonly Slot[], nameOf: (id: number) => string) {
  const screens: ScreenView[] = [];
  for (const slot of slots) {
    if (slot.userId === null || slot.source !== 'screen' || slot.muted) continue;
    screens.push({
      key: `screen-${slot.userId}`,
      userId: slot.userId,
      name: nameOf(slot.userId) || slot.username,
      track: slot.track,
      paused: slot.pausedBy === 'bandwidth',
    });
  }
  return screens;
}
