import { mergeChat } from './chat.js';
import type { WeirClient } from './client.js';
import { Emitter } from './emitter.js';
import {
  allowed,
  type LocalMedia,
  type MeetingEvents,
  type MeetingOptions,
  type MeetingState,
  mayOf,
  NEW_ROOM,
  type RoomState,
} from './events.js';
import type {
  JoinAnswer,
  MediaState,
  Role,
  ServerMessage,
  SlotMessage,
  Source,
} from './messages.js';
import { Monitor, type Voice, voicesOf } from './monitor.js';
import { Peer } from './peer.js';
import { type Participant, People } from './people.js';
import { type EndReason, NoAnswer, Signaling, signalingAddress } from './signaling.js';
import {
  FIRST_SLOTS,
  MAX_SLOTS,
  resolveSlots,
  type Slot,
  type SlotCount,
  wantedSlots,
} from './slots.js';
import { loudness } from './speakers.js';
import type { ChatMessage, MeetingSettings } from './types.js';
import { type View, ViewSender } from './view.js';

const PEOPLE_PAGE = 50;

/** One meeting, from entering to leaving: people, media, chat. Mends its connections by itself. */
export class Meeting extends Emitter<MeetingEvents> {
  /** When things happened, in `performance.now()` milliseconds; for measuring joins. */
  readonly timings = { joinMs: 0, joinedMs: 0, answeredMs: 0, mediaMs: 0 };
  readonly meetingId: number;
  readonly userId: number;
  private stateNow: MeetingState = 'idle';
  private readonly people: People;
  private readonly signaling: Signaling;
  private readonly firstSlots: SlotCount;
  private readonly maxSlots: SlotCount;
  private peerNow: Peer | null = null;
  private peerId: string | undefined;
  private slotMessages: SlotMessage[] = [];
  private messages: ChatMessage[] = [];
  private readonly tracks = new Map<Source, MediaStreamTrack>();
  private readonly mutedSources = new Set<Source>();
  private readonly monitor: Monitor;
  private iceServers: RTCIceServer[] = [];
  private password: string | undefined;
  private readonly viewer: ViewSender;
  private roomNow: RoomState = NEW_ROOM;
  /** Pictures shown, once that was said. */
  private pictures: number | null = null;
  private loading: Promise<void> | null = null;
  private entered = false;
  private rebuilds = 0;
  private rebuildTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly client: WeirClient,
    private readonly options: MeetingOptions,
  ) {
    super();
    const session = client.session;
    if (!session) throw new Error('log in first');
    this.meetingId = options.meetingId;
    this.userId = session.user.user_id;
    this.password = options.password;
    this.people = new People(this.userId);
    this.firstSlots = options.slots ?? FIRST_SLOTS;
    this.maxSlots = options.maxSlots ?? MAX_SLOTS;
    this.signaling = new Signaling({
      meetingId: this.meetingId,
      userId: this.userId,
      url: () => this.address(),
      join: () => {
        const { audio, video } = this.local;
        return { batch: true, slots: 'speakers', media_state: { audio, video } };
      },
    });
    this.monitor = new Monitor(
      {
        connection: () => (this.stateNow === 'reconnecting' ? null : this.connection),
        voices: () => this.voices(),
        stats: (stats) => this.emit('stats', stats),
        speakers: (speakers) => this.emit('speakers', speakers),
      },
      options.statsEveryMs,
    );
    this.viewer = new ViewSender(
      (data) => this.signaling.connected && this.signaling.send('view', data),
    );
    this.signaling.on('joined', (answer) => this.joined(answer));
    this.signaling.on('message', (message) => this.receive(message));
    this.signaling.on('down', () => this.setState('reconnecting'));
    this.signaling.on('closed', ({ reason }) => this.finish(reason));
  }

  get state(): MeetingState {
    return this.stateNow;
  }

  get participants(): Participant[] {
    return this.people.list();
  }

  get slots(): Slot[] {
    return resolveSlots(this.slotMessages, (mid) => this.peerNow?.trackOf(mid));
  }

  /** Whether one's own hand is raised, as everybody sees it. */
  get handRaised(): boolean {
    return this.people.raisedHands.includes(this.userId);
  }

  /** How many people are here, oneself included; {@link participants} may know fewer. */
  get total(): number {
    return this.people.total;
  }

  /** Whose hands are up, first raised first; one's own too. */
  get raisedHands(): readonly number[] {
    return this.people.raisedHands;
  }

  /** What holds here and what one may do. */
  get room(): RoomState {
    return this.roomNow;
  }

  /** Hosts and moderators lead. */
  get leads(): boolean {
    return this.roomNow.role !== 'participant';
  }

  get chat(): ChatMessage[] {
    return this.messages;
  }

  /** What this client sends now. */
  get local(): LocalMedia {
    const on = (source: Source) => this.tracks.has(source) && !this.mutedSources.has(source);
    return {
      audio: on('microphone'),
      video: on('camera'),
      screen: on('screen'),
      tracks: Object.fromEntries(this.tracks),
    };
  }

  /** The connection to the server, for statistics; null when there is none. */
  get connection(): RTCPeerConnection | null {
    return this.peerNow?.pc ?? null;
  }

  /** Enters the meeting. Sources published before are sent from the start. */
  async join(): Promise<void> {
    if (this.stateNow !== 'idle') throw new Error('a meeting is joined once');
    this.setState('joining');
    this.timings.joinMs = performance.now();
    globalThis.addEventListener?.('online', this.online);
    try {
      await this.signaling.start();
    } catch (error) {
      // The tracks stay with the caller, for another try.
      this.tracks.clear();
      this.signaling.leave();
      throw error;
    }
  }

  /** Leaves and stops everything it has been given. */
  leave(): void {
    this.signaling.leave();
    this.finish('left');
    this.client.leaveMeeting(this.meetingId).catch(() => {});
  }

  /**
   * Sends a track, at once or as soon as there is a connection. It replaces what was sent as this
   * source before; the old track is stopped.
   */
  publish(source: Source, track: MediaStreamTrack): void {
    const old = this.tracks.get(source);
    if (old && old !== track) old.stop();
    this.tracks.set(source, track);
    track.enabled = !this.mutedSources.has(source);
    track.addEventListener('ended', () => {
      if (this.tracks.get(source) === track) this.unpublish(source);
    });
    this.localChanged();
    void this.applyTrack(source);
  }

  /** Stops sending a source and switches its device off. */
  unpublish(source: Source): void {
    const track = this.tracks.get(source);
    if (!track) return;
    this.tracks.delete(source);
    this.mutedSources.delete(source);
    track.stop();
    this.localChanged();
    void this.applyTrack(source);
  }

  /** Silences or blackens a source without giving up its device. */
  setMuted(source: Source, muted: boolean): void {
    if (muted) this.mutedSources.add(source);
    else this.mutedSources.delete(source);
    const track = this.tracks.get(source);
    if (track) track.enabled = !muted;
    this.localChanged();
  }

  /** Sends a line of chat to everybody; it comes back as a `chat` event. False when offline. */
  sendChat(content: string): boolean {
    return this.signaling.send('chat', { content });
  }

  /** Tells what is shown: nothing else is received. May be called at each change of a layout. */
  setView(view: View): void {
    this.pictures = view.tiles.length + Math.min(view.lastN ?? 0, this.maxSlots.video);
    this.viewer.set(view);
    this.growSlots();
  }

  /** Loads more of a large meeting's people, until {@link participants} knows `count`. */
  knowPeople(count: number): Promise<void> {
    this.loading ??= this.loadPeople(Math.min(count, this.total - 1)).finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  react(reaction: string): boolean {
    return this.signaling.send('reaction', { reaction });
  }

  /** As host or moderator: lowers somebody's hand. */
  lowerHand(userId: number): boolean {
    return this.signaling.send('lower-hand', { user_id: userId });
  }

  /** As host or moderator: asks somebody to switch the microphone on. */
  askUnmute(userId: number): boolean {
    return this.signaling.send('ask-unmute', { user_id: userId });
  }

  /** As host or moderator: lets nobody new in. */
  setLocked(locked: boolean): boolean {
    return this.signaling.send('lock', { locked });
  }

  /** As host or moderator: lets somebody in who waits. */
  admit(userId: number): boolean {
    return this.signaling.send('admit', { user_id: userId });
  }

  /** As host: makes somebody moderator, who may then publish in a webinar, or takes it back. */
  setRole(userId: number, role: Role): Promise<void> {
    return this.client.setRole(this.meetingId, userId, role);
  }

  /** As host: changes switches of the meeting. */
  changeSettings(settings: Partial<MeetingSettings>): Promise<void> {
    return this.client.changeSettings(this.meetingId, settings);
  }

  setHandRaised(raised: boolean): boolean {
    return this.signaling.send(raised ? 'raise-hand' : 'lower-hand');
  }

  private readonly online = () => this.signaling.hurry();

  private setState(state: MeetingState, reason: EndReason | null = null): void {
    if (this.stateNow === state || this.stateNow === 'closed') return;
    this.stateNow = state;
    this.emit('state', { state, reason });
  }

  /** The WebSocket address, by a REST join: it checks the rights and hands out a ticket. */
  private async address(): Promise<string> {
    const info = await this.client.joinMeeting(this.meetingId, this.password);
    return signalingAddress(this.client.baseUrl, this.meetingId, this.userId, info);
  }

  private joined(answer: JoinAnswer): void {
    if (answer.status === 'waiting') {
      this.setState('waiting');
      return;
    }
    this.timings.joinedMs = performance.now();
    // STUN is of no use to a client of an ICE-lite server with a known address; TURN is.
    this.iceServers = (answer.ice_servers ?? []).filter((server) =>
      [server.urls].flat().some((url) => url.startsWith('turn')),
    ) as RTCIceServer[];
    this.people.enter(answer);
    this.roomChanged({
      role: answer.role ?? 'participant',
      settings: answer.settings ?? null,
      locked: answer.locked ?? false,
      waiting: answer.waiting ?? [],
      ...(answer.rights ? { may: mayOf(answer.rights) } : {}),
    });
    this.emit('participants', this.participants);
    // A meeting may silence who comes in (mute_on_join); who spoke before a break goes on.
    if (!this.entered && answer.media_state?.audio === false && this.tracks.has('microphone')) {
      this.setMuted('microphone', true);
    }
    this.entered = true;
    // Not before: who waits may not read. After a break, what was said meanwhile.
    this.loadChat();
    if (this.differs(answer.media_state)) this.sendMediaState();
    this.viewer.again();
    const resumed = this.peerNow && answer.peer_id && answer.peer_id === this.peerId;
    this.peerId = answer.peer_id;
    if (resumed && this.peerNow?.pc.connectionState === 'connected') {
      this.peerNow.negotiate().catch((error: Error) => this.rebuild(error));
      this.setState('connected');
    } else if (resumed && this.peerNow) {
      this.peerNow.restart();
    } else {
      this.build();
    }
  }

  private build(): void {
    this.peerNow?.close();
    this.slotMessages = [];
    this.monitor.reset();
    const peer = new Peer({
      slots: this.neededSlots(this.firstSlots),
      iceServers: this.iceServers,
      publish: this.options.publish ?? {},
      offer: async (sdp, tracks) => {
        const answer = await this.signaling.offer(sdp, tracks);
        if (this.timings.answeredMs < this.timings.joinedMs) {
          this.timings.answeredMs = performance.now();
        }
        return answer;
      },
    });
    this.peerNow = peer;
    peer.on('up', () => {
      if (this.peerNow !== peer) return;
      this.timings.mediaMs = performance.now();
      this.rebuilds = 0;
      this.setState('connected');
    });
    peer.on('interrupted', () => {
      if (this.peerNow === peer) this.setState('reconnecting');
    });
    peer.on('dead', ({ error }) => {
      if (this.peerNow === peer) this.rebuild(error);
    });
    for (const source of this.tracks.keys()) {
      if (source === 'microphone' || source === 'camera') void this.applyTrack(source, peer);
    }
    this.emitSlots();
    peer
      .negotiate()
      .then(() => this.applyTrack('screen', peer))
      .then(() => this.applyTrack('screen_audio', peer))
      .catch((error: Error) => {
        if (this.peerNow === peer) this.rebuild(error);
      });
    this.monitor.start();
  }

  /** Begins again with a new connection: the server may have forgotten the old one. */
  private rebuild(error: Error): void {
    if (this.stateNow === 'closed') return;
    this.peerNow?.close();
    this.peerNow = null;
    this.peerId = undefined;
    this.setState('reconnecting');
    if (this.rebuilds > 0) this.emit('error', error);
    this.rebuilds += 1;
    // While signalling is down its own return builds the next connection.
    if (!this.signaling.connected) return;
    if (error instanceof NoAnswer) {
      this.signaling.reconnect();
      return;
    }
    clearTimeout(this.rebuildTimer);
    this.rebuildTimer = setTimeout(
      () => {
        if (!this.peerNow && this.signaling.connected) this.build();
      },
      Math.min(10_000, 500 * this.rebuilds),
    );
  }

  private async applyTrack(source: Source, peer = this.peerNow): Promise<void> {
    if (!peer || peer !== this.peerNow) return;
    try {
      await peer.setTrack(source, this.tracks.get(source) ?? null);
    } catch (error) {
      // A connection that is being mended takes the track up when it is back.
      if (this.stateNow === 'connected') this.emit('error', error as Error);
    }
  }

  private localChanged(): void {
    this.emit('local', this.local);
    this.sendMediaState();
  }

  private sendMediaState(): void {
    if (!this.signaling.connected) return;
    this.signaling.send('media-state', allowed(this.local, this.roomNow.may));
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case 'slots':
        this.slotMessages = message.data.slots;
        this.emitSlots();
        this.growSlots();
        break;
      case 'renegotiate':
        if (message.data.new_connection) this.build();
        else if (message.data.ice_restart) this.peerNow?.restart();
        else this.peerNow?.negotiate().catch((error: Error) => this.rebuild(error));
        break;
      case 'user-joined':
        this.people.join(message.data);
        this.peopleChanged();
        break;
      case 'user-left':
        this.people.leave(message.data.user_id);
        this.peopleChanged();
        break;
      case 'participants-changed':
        for (const { user_id } of message.data.left) this.people.leave(user_id);
        for (const person of message.data.joined) this.people.join(person);
        this.people.count(message.data.total);
        this.peopleChanged();
        break;
      case 'media-state':
        this.people.media(message.from, message.data);
        this.emit('participants', this.participants);
        break;
      case 'raise-hand':
      case 'lower-hand':
        this.hand(message.data.user_id ?? message.from, message.type === 'raise-hand');
        break;
      case 'layers':
        this.peerNow?.wantLayers(message.data.mid, message.data.layers).catch((error: Error) => {
          if (this.stateNow === 'connected') this.emit('error', error);
        });
        break;
      case 'rights':
        this.roomChanged({ role: message.data.role, may: mayOf(message.data.rights) });
        break;
      case 'role-changed':
        this.people.role(message.data.user_id, message.data.role);
        this.emit('participants', this.participants);
        break;
      case 'meeting-updated':
        this.roomChanged({ title: message.data.title, settings: message.data.settings });
        break;
      case 'waiting':
        this.roomChanged({ waiting: message.data.waiting });
        break;
      case 'lock':
        this.roomChanged({ locked: message.data.locked });
        break;
      case 'reaction':
        this.emit('reaction', {
          userId: message.data.user_id,
          reaction: message.data.reaction,
        });
        break;
      case 'ask-unmute':
        this.emit('ask-unmute', { from: message.from });
        break;
      case 'chat':
        this.addChat([message.data]);
        break;
      case 'speakers':
        this.monitor.serverSpeaks();
        this.emit(
          'speakers',
          message.data.speakers.map((s) => ({ userId: s.user_id, level: loudness(s.level) })),
        );
        break;
      case 'error':
        this.emit('error', new Error(message.data.message));
        break;
      default:
        break;
    }
  }

  private hand(userId: number, raised: boolean): void {
    this.people.hand(userId, raised);
    this.emit('participants', this.participants);
  }

  private peopleChanged(): void {
    this.emit('participants', this.participants);
  }

  private roomChanged(change: Partial<RoomState>): void {
    this.roomNow = { ...this.roomNow, ...change };
    const { may } = this.roomNow;
    // What is no longer allowed is dropped by the server anyway.
    if (!may.audio) this.unpublish('microphone');
    if (!may.video) this.unpublish('camera');
    if (!may.screen) {
      this.unpublish('screen');
      this.unpublish('screen_audio');
    }
    this.emit('room', this.roomNow);
  }

  private async loadPeople(count: number): Promise<void> {
    const first = Math.floor(this.people.list().length / PEOPLE_PAGE) + 1;
    const last = Math.ceil((count + 1) / PEOPLE_PAGE);
    for (let page = first; page <= last && this.people.list().length < count; page += 1) {
      const found = await this.client.onlinePeople(this.meetingId, page, PEOPLE_PAGE);
      if (found.length === 0) break;
      this.people.add(found);
      this.emit('participants', this.participants);
    }
  }

  private emitSlots(): void {
    this.emit('slots', this.slots);
  }

  private growSlots(): void {
    const peer = this.peerNow;
    if (!peer) return;
    if (peer.addSlots(this.neededSlots(peer.slotCount)))
      peer.negotiate().catch((error: Error) => this.rebuild(error));
  }

  private neededSlots(now: SlotCount): SlotCount {
    const screens = this.people.list().filter((p) => p.media.screen).length;
    const pictures = this.pictures ?? this.people.list().length + screens;
    return wantedSlots(now, this.maxSlots, pictures, screens);
  }

  private differs(known: Partial<MediaState> | undefined): boolean {
    const { audio, video, screen } = allowed(this.local, this.roomNow.may);
    return known?.audio !== audio || known.video !== video || known.screen !== screen;
  }

  private addChat(lines: ChatMessage[]): void {
    this.messages = mergeChat(this.messages, lines);
    this.emit('chat', this.messages);
  }

  private loadChat(): void {
    this.client
      .recentMessages(this.meetingId)
      .then((lines) => {
        if (lines.length > 0) this.addChat(lines);
      })
      .catch(() => {});
  }

  /** Who is to be heard, by the receivers of their sound. */
  private voices(): Voice[] {
    return voicesOf(this.slotMessages, (mid) => this.peerNow?.receiverOf(mid));
  }

  private finish(reason: EndReason): void {
    if (this.stateNow === 'closed') return;
    this.monitor.stop();
    clearTimeout(this.rebuildTimer);
    this.viewer.stop();
    globalThis.removeEventListener?.('online', this.online);
    this.peerNow?.close();
    this.peerNow = null;
    for (const track of this.tracks.values()) track.stop();
    this.tracks.clear();
    this.setState('closed', reason);
  }
}
