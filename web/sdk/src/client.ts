import type { paths } from './api.gen.js';
import { isStale, MemoryStore, type Session, type SessionStore } from './tokens.js';
import type {
  BodyOf,
  ChatMessage,
  DataOf,
  JoinInfo,
  MeetingInfo,
  MeetingSummary,
  NewMeeting,
  Operation,
  ParamsOf,
  ParticipantInfo,
  PathOf,
} from './types.js';

/** An error the server answered with, or status 0 when no answer came. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    message: string,
    /** Business code, or the HTTP status (contract section 3); 0 without an answer. */
    readonly code: number,
    /** HTTP status; 0 without an answer. */
    readonly status: number,
    /** What to name when reporting it. */
    readonly requestId: string = '',
    /** Which fields were wrong. */
    readonly details: { field: string; message: string }[] = [],
  ) {
    super(message);
  }
}

/** Business codes a client acts on. */
export const Code = {
  TokenExpired: 1005,
  MeetingUnknown: 2001,
  MeetingEnded: 2002,
  MeetingFull: 2003,
  MeetingPassword: 2004,
} as const;

/** Options of {@link WeirClient}. */
export interface ClientOptions {
  /** Origin of the server, such as `https://meet.example`; the page's own by default. */
  baseUrl?: string;
  /** Where the session is kept; in memory by default. */
  store?: SessionStore;
  /** Replacement for `fetch`, for tests. */
  fetch?: typeof fetch;
  /** Replacement for the clock in milliseconds, for tests. */
  now?: () => number;
}

/** The REST side of Weir: accounts and meetings. Renews its token by itself. */
export class WeirClient {
  /** Origin of the server, without a slash at its end. */
  readonly baseUrl: string;
  /** Called when login, logout or a refused refresh changed who is logged in. */
  onSession: (session: Session | null) => void = () => {};
  private readonly store: SessionStore;
  private readonly doFetch: typeof fetch;
  private readonly now: () => number;
  private refreshing: Promise<Session> | null = null;

  constructor(options: ClientOptions = {}) {
    this.baseUrl = (options.baseUrl ?? globalThis.location?.origin ?? '').replace(/\/$/, '');
    this.store = options.store ?? new MemoryStore();
    this.doFetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.now = options.now ?? Date.now;
  }

  /** Who is logged in. */
  get session(): Session | null {
    return this.store.load();
  }

  async register(account: {
    username: string;
    email: string;
    password: string;
    nickname?: string;
  }): Promise<void> {
    await this.send('post', '/api/v1/auth/register', { body: account, anonymous: true });
  }

  async login(username: string, password: string): Promise<Session> {
    const data = await this.send('post', '/api/v1/auth/login', {
      body: { username, password },
      anonymous: true,
    });
    const { user_id, username: name, nickname } = data.user;
    const session: Session = {
      token: data.token,
      refreshToken: data.refresh_token,
      expiresAt: this.now() + data.expires_in * 1000,
      user: { user_id, username: name, nickname: nickname || name },
    };
    this.setSession(session);
    return session;
  }

  /** Ends the session here, and at the server when it can be reached. */
  async logout(): Promise<void> {
    const session = this.session;
    if (!session) return;
    try {
      await this.send('post', '/api/v1/auth/logout', {
        body: { refresh_token: session.refreshToken },
      });
    } catch {
      // The tokens are dropped here all the same.
    }
    this.setSession(null);
  }

  createMeeting(meeting: NewMeeting): Promise<MeetingInfo> {
    return this.send('post', '/api/v1/meetings', { body: meeting }) as Promise<MeetingInfo>;
  }

  getMeeting(id: number): Promise<MeetingInfo> {
    return this.send('get', '/api/v1/meetings/{id}', { path: { id } });
  }

  async listMeetings(page = 1, pageSize = 20): Promise<MeetingSummary[]> {
    const query = { page, page_size: pageSize };
    return (await this.send('get', '/api/v1/meetings', { query })).meetings;
  }

  joinMeeting(id: number, password?: string): Promise<JoinInfo> {
    const body = password ? { password } : {};
    return this.send('post', '/api/v1/meetings/{id}/join', { path: { id }, body });
  }

  async leaveMeeting(id: number): Promise<void> {
    await this.send('post', '/api/v1/meetings/{id}/leave', { path: { id } });
  }

  async endMeeting(id: number): Promise<void> {
    await this.send('post', '/api/v1/meetings/{id}/end', { path: { id } });
  }

  /** The newest messages of a meeting, oldest first. */
  async recentMessages(id: number, count = 50): Promise<ChatMessage[]> {
    const query = { page: 1, page_size: count, order: 'desc' as const };
    const data = await this.send('get', '/api/v1/meetings/{id}/messages', { path: { id }, query });
    return data.messages.sort((a, b) => a.message_id - b.message_id);
  }

  /** A page of who is in a meeting now. */
  async onlinePeople(id: number, page: number, pageSize = 50): Promise<ParticipantInfo[]> {
    const query = { page, page_size: pageSize, status: 'online' as const };
    const path = { id };
    return (await this.send('get', '/api/v1/meetings/{id}/participants', { path, query }))
      .participants;
  }

  /** Makes somebody host, moderator or participant of a meeting. */
  async setRole(id: number, userId: number, role: ParticipantInfo['role']): Promise<void> {
    const path = { id, user_id: userId };
    await this.send('put', '/api/v1/meetings/{id}/participants/{user_id}/role', {
      path,
      body: { role },
    });
  }

  /** Changes switches of a meeting. */
  async changeSettings(id: number, settings: Partial<MeetingInfo['settings']>): Promise<void> {
    await this.send('put', '/api/v1/meetings/{id}', { path: { id }, body: { settings } });
  }

  /** Renews the token now; several callers share one request. */
  refresh(): Promise<Session> {
    this.refreshing ??= this.doRefresh().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async doRefresh(): Promise<Session> {
    const session = this.session;
    if (!session) throw new ApiError('not logged in', 401, 401);
    try {
      const data = await this.send('post', '/api/v1/auth/refresh', {
        body: { refresh_token: session.refreshToken },
        anonymous: true,
      });
      const renewed: Session = {
        ...session,
        token: data.token,
        expiresAt: this.now() + data.expires_in * 1000,
      };
      this.setSession(renewed);
      return renewed;
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        this.setSession(null);
      }
      throw error;
    }
  }

  private setSession(session: Session | null): void {
    this.store.save(session);
    this.onSession(session);
  }

  /** One call of the API; the types of path, body and answer come from the API's own document. */
  async send<V extends 'get' | 'post' | 'put' | 'delete', P extends PathOf<V> & keyof paths>(
    verb: V,
    path: P,
    options: Partial<ParamsOf<Operation<P, V>>> & {
      body?: BodyOf<Operation<P, V>>;
      /** Without the token. */
      anonymous?: boolean;
    },
  ): Promise<DataOf<Operation<P, V>>> {
    const { body, anonymous, ...params } = options;
    const url = this.baseUrl + buildPath(path, params);
    let token: string | undefined;
    if (!anonymous) {
      let session = this.session;
      if (session && isStale(session, this.now())) session = await this.refresh();
      token = session?.token;
    }
    try {
      return (await this.once(verb, url, token, body)) as DataOf<Operation<P, V>>;
    } catch (error) {
      const refused = error instanceof ApiError && error.status === 401;
      if (!refused || anonymous || !token) throw error;
      const session = await this.refresh();
      return (await this.once(verb, url, session.token, body)) as DataOf<Operation<P, V>>;
    }
  }

  private async once(
    verb: string,
    url: string,
    token: string | undefined,
    body: unknown,
  ): Promise<unknown> {
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (token) headers.Authorization = `Bearer ${token}`;
    const init: RequestInit = { method: verb.toUpperCase(), headers, cache: 'no-store' };
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    let response: Response;
    try {
      response = await this.doFetch(url, init);
    } catch {
      throw new ApiError('the server cannot be reached', 0, 0);
    }
    const text = await response.text();
    let json: {
      code?: number;
      message?: string;
      data?: unknown;
      request_id?: string;
      details?: { field: string; message: string }[];
    } = {};
    try {
      json = JSON.parse(text);
    } catch {
      // Judged by its status below.
    }
    if (!response.ok) {
      throw new ApiError(
        json.message ?? response.statusText,
        json.code ?? response.status,
        response.status,
        json.request_id,
        json.details,
      );
    }
    return json.data ?? {};
  }
}

/** Fills `{name}` in a path and appends the query. */
export function buildPath(
  template: string,
  params: { path?: unknown; query?: unknown } = {},
): string {
  const values = (params.path ?? {}) as Record<string, string | number>;
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`path parameter ${name} is missing`);
    return encodeURIComponent(String(value));
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries((params.query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== null) query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
