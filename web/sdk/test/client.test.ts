import { describe, expect, it } from 'vitest';
import { ApiError, buildPath, WeirClient } from '../src/client.js';
import { MemoryStore, parseSession, type Session } from '../src/tokens.js';

function session(expiresAt: number): Session {
  return {
    token: 'old',
    refreshToken: 'refresh',
    expiresAt,
    user: { user_id: 7, username: 'ada', nickname: 'Ada' },
  };
}

/** A server that answers from a list and keeps what it was asked. */
function server(answers: Record<string, (init: RequestInit) => [number, object]>) {
  const asked: { key: string; token: string | null; body: unknown }[] = [];
  const fetch = (async (input: string, init: RequestInit) => {
    const key = `${init.method} ${new URL(input).pathname}`;
    const headers = new Headers(init.headers);
    const body = init.body ? JSON.parse(String(init.body)) : undefined;
    asked.push({ key, token: headers.get('authorization'), body });
    const [status, json] = answers[key]?.(init) ?? [404, { code: 404, message: 'no route' }];
    return new Response(JSON.stringify(json), { status });
  }) as typeof globalThis.fetch;
  return { fetch, asked };
}

const HOST = 'http://weir.test';

describe('paths', () => {
  it('fills parameters and query, escaped', () => {
    const path = buildPath('/a/{id}/b', {
      path: { id: 'x/y' },
      query: { page: 2, none: undefined },
    });
    expect(path).toBe('/a/x%2Fy/b?page=2');
  });

  it('refuses a missing parameter', () => {
    expect(() => buildPath('/a/{id}', {})).toThrow('id');
  });
});

describe('client', () => {
  it('keeps the session of a login', async () => {
    const { fetch } = server({
      'POST /api/v1/auth/login': () => [
        200,
        {
          code: 200,
          data: {
            token: 't',
            refresh_token: 'r',
            expires_in: 60,
            user: { user_id: 3, username: 'bob', nickname: '' },
          },
        },
      ],
    });
    const client = new WeirClient({ baseUrl: HOST, fetch, now: () => 1_000 });
    await client.login('bob', 'secret');
    expect(client.session).toEqual({
      token: 't',
      refreshToken: 'r',
      expiresAt: 61_000,
      user: { user_id: 3, username: 'bob', nickname: 'bob' },
    });
  });

  it('renews a token that is about to end, once for several calls', async () => {
    const { fetch, asked } = server({
      'POST /api/v1/auth/refresh': () => [200, { data: { token: 'new', expires_in: 86_400 } }],
      'GET /api/v1/meetings': () => [200, { data: { meetings: [], total: 0 } }],
    });
    const store = new MemoryStore();
    store.save(session(30_000));
    const client = new WeirClient({ baseUrl: HOST, fetch, store, now: () => 0 });
    await Promise.all([client.listMeetings(), client.listMeetings()]);
    expect(asked.map((a) => a.key)).toEqual([
      'POST /api/v1/auth/refresh',
      'GET /api/v1/meetings',
      'GET /api/v1/meetings',
    ]);
    expect(asked[1]?.token).toBe('Bearer new');
    expect(asked[0]?.body).toEqual({ refresh_token: 'refresh' });
  });

  it('renews once when a call is refused, and repeats it', async () => {
    const { fetch, asked } = server({
      'POST /api/v1/auth/refresh': () => [200, { data: { token: 'new', expires_in: 86_400 } }],
      'GET /api/v1/meetings/5': (init) =>
        new Headers(init.headers).get('authorization') === 'Bearer new'
          ? [200, { data: { meeting_id: 5 } }]
          : [401, { code: 1005, message: 'token expired' }],
    });
    const store = new MemoryStore();
    store.save(session(1e12));
    const client = new WeirClient({ baseUrl: HOST, fetch, store, now: () => 0 });
    expect((await client.getMeeting(5)).meeting_id).toBe(5);
    expect(asked).toHaveLength(3);
  });

  it('logs out when the refresh token is refused', async () => {
    const { fetch } = server({
      'POST /api/v1/auth/refresh': () => [401, { code: 401, message: 'unauthorized' }],
      'GET /api/v1/meetings': () => [401, { code: 401, message: 'unauthorized' }],
    });
    const store = new MemoryStore();
    store.save(session(1e12));
    const client = new WeirClient({ baseUrl: HOST, fetch, store, now: () => 0 });
    const seen: unknown[] = [];
    client.onSession = (s) => seen.push(s);
    await expect(client.listMeetings()).rejects.toMatchObject({ status: 401 });
    expect(client.session).toBeNull();
    expect(seen).toEqual([null]);
  });

  it('keeps the session when the server cannot be reached', async () => {
    const store = new MemoryStore();
    store.save(session(0));
    const client = new WeirClient({
      baseUrl: HOST,
      store,
      now: () => 0,
      fetch: async () => {
        throw new TypeError('network');
      },
    });
    await expect(client.listMeetings()).rejects.toMatchObject({ status: 0 });
    expect(client.session).not.toBeNull();
  });

  it('tells code, request id and details of an error', async () => {
    const { fetch } = server({
      'POST /api/v1/auth/register': () => [
        400,
        {
          code: 400,
          message: 'bad',
          request_id: 'abc',
          details: [{ field: 'email', message: 'not an address' }],
        },
      ],
    });
    const client = new WeirClient({ baseUrl: HOST, fetch });
    const error = await client
      .register({ username: 'ada', email: 'x', password: 'secret' })
      .catch((e: ApiError) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 400, requestId: 'abc', details: [{ field: 'email' }] });
  });

  it('does not take junk for a session', () => {
    expect(parseSession(null)).toBeNull();
    expect(parseSession({ token: 1 })).toBeNull();
    expect(parseSession(session(5))).toEqual(session(5));
  });
});
