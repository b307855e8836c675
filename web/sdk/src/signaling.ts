import { Backoff, pause } from './backoff.js';
import { ApiError } from './client.js';
import { Emitter } from './emitter.js';
import { type JoinAnswer, parseMessage, type ServerMessage, type Source } from './messages.js';
import { MAX_MESSAGE_BYTES } from './offer.js';
import type { JoinInfo } from './types.js';

/** Why a meeting is over for this client. */
export type EndReason =
  | 'left'
  | 'unauthorized'
  | 'forbidden'
  | 'unknown-meeting'
  | 'removed'
  | 'ended'
  | 'full'
  | 'failed';

/** What {@link Signaling} tells. */
export interface SignalingEvents {
  /** Entered, or entered again, or admitted from the waiting room. */
  joined: JoinAnswer;
  /** Any other message. */
  message: ServerMessage;
  /** The connection broke; another attempt follows. */
  down: { code: number };
  /** The connection is over for good. */
  closed: { reason: EndReason };
}

/** Options of {@link Signaling}. */
export interface SignalingOptions {
  meetingId: number;
  userId: number;
  /** Makes the WebSocket address, with a fresh ticket, before each attempt. */
  url: () => Promise<string>;
  /** More for the data of `join`. */
  join?: () => object;
  backoff?: Backoff;
  /** Replacement for `WebSocket`, for tests. */
  socket?: (url: string) => WebSocket;
}

const OPEN_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;
/** What a message has around an offer. */
const HEAD_BYTES = 100;

/** The final meaning of a close code, or null when it is worth another attempt. */
export function endOfClose(code: number): EndReason | null {
  switch (code) {
    case 4401:
      return 'unauthorized';
    case 4403:
      return 'forbidden';
    case 4404:
      return 'unknown-meeting';
    case 4409:
      return 'removed';
    case 4410:
      return 'ended';
    default:
      return null;
  }
}

/** The final meaning of a refused REST call, or null when it is worth another attempt. */
export function endOfError(error: unknown): EndReason | null {
  if (!(error instanceof ApiError)) return null;
  if (error.code === 2001) return 'unknown-meeting';
  if (error.code === 2002) return 'ended';
  if (error.code === 2003) return 'full';
  if (error.status === 401) return 'unauthorized';
  if (error.status === 403) return 'forbidden';
  return null;
}

/** The server said nothing to an offer: the connection is dead though nothing closed it. */
export class NoAnswer extends Error {
  constructor() {
    super('no answer to the offer');
  }
}

interface PendingOffer {
  resolve: (sdp: string) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** The WebSocket of one meeting: enters it, keeps it, comes back when it breaks. */
export class Signaling extends Emitter<SignalingEvents> {
  private socket: WebSocket | null = null;
  private pending: PendingOffer | null = null;
  private resumeToken: string | undefined;
  private over = false;
  private running = false;
  private readonly backoff: Backoff;
  private wake: () => void = () => {};

  constructor(private readonly options: SignalingOptions) {
    super();
    this.backoff = options.backoff ?? new Backoff();
  }

  /** Whether messages can be sent now. */
  get connected(): boolean {
    return this.running && this.socket?.readyState === 1;
  }

  /** Enters the meeting. Rejects when the first attempt fails; later breaks are mended. */
  async start(): Promise<JoinAnswer> {
    return this.attempt();
  }

  /** Sends a message; false when there is no connection. */
  send(type: string, data: object = {}, to?: number): boolean {
    if (this.socket?.readyState !== 1) return false;
    const message = { type, to, meeting_id: this.options.meetingId, data };
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Offers to the media server and resolves with its answer's SDP. */
  offer(sdp: string, tracks: Record<string, Source>): Promise<string> {
    return new Promise((resolve, reject) => {
      // The server would close the connection; JSON escapes the ends of lines.
      const bytes = new TextEncoder().encode(JSON.stringify({ sdp, tracks })).length + HEAD_BYTES;
      if (bytes > MAX_MESSAGE_BYTES) {
        reject(new Error(`an offer of ${bytes} bytes, the server takes ${MAX_MESSAGE_BYTES}`));
        return;
      }
      if (this.pending) {
        reject(new Error('an offer is under way'));
        return;
      }
      const timer = setTimeout(
        () => this.settle((p) => p.reject(new NoAnswer())),
        ANSWER_TIMEOUT_MS,
      );
      this.pending = { resolve, reject, timer };
      if (!this.send('offer', { type: 'offer', sdp, tracks })) {
        this.settle((p) => p.reject(new Error('not connected')));
      }
    });
  }

  /** Drops the connection and enters again as somebody new, without the old session. */
  reconnect(): void {
    const socket = this.socket;
    this.resumeToken = undefined;
    if (!socket || this.over) return;
    socket.onclose = null;
    socket.close();
    this.lost(1006);
  }

  /** Ends a wait before the next attempt (the network is back). */
  hurry(): void {
    this.backoff.reset();
    this.wake();
  }

  /** Leaves and closes. */
  leave(): void {
    if (this.over) return;
    this.send('leave');
    this.finish('left');
  }

  private finish(reason: EndReason): void {
    if (this.over) return;
    this.over = true;
    this.running = false;
    this.wake();
    this.settle((p) => p.reject(new Error('closed')));
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onclose = null;
      socket.onmessage = null;
      socket.close(1000);
    }
    this.emit('closed', { reason });
  }

  private settle(how: (pending: PendingOffer) => void): void {
    const pending = this.pending;
    if (!pending) return;
    this.pending = null;
    clearTimeout(pending.timer);
    how(pending);
  }

  private async attempt(): Promise<JoinAnswer> {
    const url = await this.options.url();
    if (this.over) throw new Error('closed');
    const socket = this.options.socket?.(url) ?? new WebSocket(url);
    this.socket = socket;
    const answer = await new Promise<JoinAnswer>((resolve, reject) => {
      const timer = setTimeout(() => {
        socket.close();
        reject(new Error('no answer from the server'));
      }, OPEN_TIMEOUT_MS);
      socket.onopen = () => {
        const join: Record<string, unknown> = {
          user_id: this.options.userId,
          ...this.options.join?.(),
        };
        if (this.resumeToken) join.resume_token = this.resumeToken;
        this.send('join', join);
      };
      socket.onclose = (event) => {
        clearTimeout(timer);
        reject(new CloseError(event.code));
      };
      socket.onmessage = (event) => {
        const message = parseMessage(event.data);
        if (message?.type === 'join') {
          clearTimeout(timer);
          resolve(message.data);
        } else if (message?.type === 'error') {
          const { code, message: text } = message.data;
          clearTimeout(timer);
          reject(new ApiError(text, code, code < 1000 ? code : 400));
          socket.close();
        }
      };
    });
    this.running = true;
    this.backoff.reset();
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event.code);
    };
    socket.onmessage = (event) => {
      const message = parseMessage(event.data);
      if (message && this.socket === socket) this.receive(message);
    };
    this.entered(answer);
    return answer;
  }

  private entered(answer: JoinAnswer): void {
    if (answer.resume_token) this.resumeToken = answer.resume_token;
    this.emit('joined', answer);
  }

  private receive(message: ServerMessage): void {
    if (message.type === 'join') {
      this.entered(message.data);
      return;
    }
    if (message.type === 'answer' && message.from === 0) {
      this.settle((p) => p.resolve(message.data.sdp));
      return;
    }
    if (message.type === 'error' && message.data.ref_type === 'offer' && this.pending) {
      this.settle((p) => p.reject(new ApiError(message.data.message, message.data.code, 400)));
      return;
    }
    this.emit('message', message);
  }

  private lost(code: number): void {
    this.running = false;
    this.socket = null;
    this.settle((p) => p.reject(new Error('connection lost')));
    if (this.over) return;
    const end = endOfClose(code);
    // An expired token is renewed by the REST join before the next attempt; other ends are final.
    if (end && end !== 'unauthorized') {
      this.finish(end);
      return;
    }
    this.emit('down', { code });
    void this.mend();
  }

  private async mend(): Promise<void> {
    while (!this.over && !this.running) {
      const wait = pause(this.backoff.next());
      this.wake = wait.wake;
      await wait.done;
      if (this.over) return;
      try {
        await this.attempt();
      } catch (error) {
        this.socket = null;
        const end = error instanceof CloseError ? endOfClose(error.code) : endOfError(error);
        if (end) this.finish(end);
      }
    }
  }
}

class CloseError extends Error {
  constructor(readonly code: number) {
    super(`the server closed the connection (${code})`);
  }
}

/** Where signalling is, with the ticket that the REST join gave. */
export function signalingAddress(
  baseUrl: string,
  meetingId: number,
  userId: number,
  info: JoinInfo,
): string {
  const origin = new URL(baseUrl || globalThis.location.origin);
  origin.protocol = origin.protocol === 'https:' ? 'wss:' : 'ws:';
  const url = new URL('/ws/signaling', origin);
  url.searchParams.set('meeting_id', String(meetingId));
  url.searchParams.set('user_id', String(userId));
  const ticket = new URL(info.room_url, url).searchParams.get('ticket');
  if (ticket) url.searchParams.set('ticket', ticket);
  return url.href;
}
