// The few REST calls a test makes without a page.
import assert from 'node:assert/strict';

async function call(server, method, path, token, body) {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: body ? JSON.stringify(body) : undefined,
  });
  const json = await response.json();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(json)}`);
  return json.data;
}

/** Registers and logs in; `{userId, token}`. */
export async function account(server, username) {
  const password = 'correct horse';
  const email = `${username}@weir.test`;
  await call(server, 'POST', '/auth/register', null, { username, email, password });
  const data = await call(server, 'POST', '/auth/login', null, { username, password });
  return { userId: data.user.user_id, token: data.token };
}

/** Makes a meeting; its number. `more` is a password or settings. */
export async function meeting(server, token, title, more = {}) {
  const data = await call(server, 'POST', '/meetings', token, {
    title,
    start_time: new Date().toISOString(),
    end_time: new Date(Date.now() + 3_600_000).toISOString(),
    max_participants: 10,
    meeting_type: 'video',
    ...more,
  });
  return data.meeting_id;
}

export function join(server, token, meetingId) {
  return call(server, 'POST', `/meetings/${meetingId}/join`, token, {});
}

/** The token of who is logged in on a page. */
export const tokenOf = (page) =>
  page.evaluate(() => JSON.parse(localStorage.getItem('weir.session')).token);
