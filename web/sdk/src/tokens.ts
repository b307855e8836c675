/** What login hands out, as kept by the client. */
export interface Session {
  /** JWT for `Authorization: Bearer`. */
  token: string;
  /** JWT for `/auth/refresh`. */
  refreshToken: string;
  /** When `token` ends, in milliseconds since 1970. */
  expiresAt: number;
  /** Who is logged in. */
  user: { user_id: number; username: string; nickname: string };
}

/** Where a session is kept between page loads. */
export interface SessionStore {
  load(): Session | null;
  save(session: Session | null): void;
}

/** Keeps the session for this object's life only. */
export class MemoryStore implements SessionStore {
  private session: Session | null = null;

  load(): Session | null {
    return this.session;
  }

  save(session: Session | null): void {
    this.session = session;
  }
}

/** Keeps the session in Web Storage (`localStorage` by default). */
export class WebStore implements SessionStore {
  constructor(
    private readonly key = 'weir.session',
    private readonly storage: Storage = localStorage,
  ) {}

  load(): Session | null {
    try {
      return parseSession(JSON.parse(this.storage.getItem(this.key) ?? 'null'));
    } catch {
      return null;
    }
  }

  save(session: Session | null): void {
    if (session) this.storage.setItem(this.key, JSON.stringify(session));
    else this.storage.removeItem(this.key);
  }
}

/** A stored session, or null when it is not one of ours. */
export function parseSession(value: unknown): Session | null {
  const s = value as Partial<Session> | null;
  if (!s || typeof s !== 'object') return null;
  if (typeof s.token !== 'string' || typeof s.refreshToken !== 'string') return null;
  if (typeof s.expiresAt !== 'number' || typeof s.user?.user_id !== 'number') return null;
  return s as Session;
}

/** How long before its end a token is renewed, in milliseconds. */
export const RENEW_BEFORE_MS = 60_000;

/** Whether the token should be renewed before it is used. */
export function isStale(session: Session, now: number): boolean {
  return now >= session.expiresAt - RENEW_BEFORE_MS;
}
