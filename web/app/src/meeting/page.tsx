import {
  type EndReason,
  Meeting,
  type MeetingInfo,
  type PublishOptions,
  type Session,
  type WeirClient,
} from '@weir/sdk';
import { useEffect, useState } from 'preact/hooks';
import { describe, Problem, TopBar } from '../ui/parts.js';
import type { DeviceKind } from './devices.js';
import { PreJoin, type PreJoinResult } from './prejoin.js';
import { Room } from './room.js';

type Stage =
  | { name: 'before' }
  | { name: 'in'; meeting: Meeting; chosen: Record<DeviceKind, string> }
  | { name: 'after'; reason: EndReason };

const ENDINGS: Record<EndReason, string> = {
  left: 'You left the meeting.',
  unauthorized: 'Your login has ended.',
  forbidden: 'You may not enter this meeting.',
  'unknown-meeting': 'There is no such meeting.',
  removed: 'You were removed from the meeting.',
  ended: 'The meeting has ended.',
  full: 'The meeting is full.',
  failed: 'The connection failed.',
};

/** A meeting from preview to farewell. */
export function MeetingPage(props: { client: WeirClient; session: Session; id: number }) {
  const { client, session, id } = props;
  const [info, setInfo] = useState<MeetingInfo | null>(null);
  const [stage, setStage] = useState<Stage>({ name: 'before' });
  const [problem, setProblem] = useState<string | null>(null);
  const running = stage.name === 'in' ? stage.meeting : null;

  useEffect(() => {
    client
      .getMeeting(id)
      .then(setInfo)
      .catch((error) => setProblem(describe(error)));
  }, [client, id]);

  useEffect(() => {
    document.title = info ? `${info.title} · Weir` : 'Weir';
    return () => {
      document.title = 'Weir';
    };
  }, [info]);

  useEffect(() => {
    if (!running) return;
    const end = running.on('state', ({ state, reason }) => {
      if (state === 'closed') setStage({ name: 'after', reason: reason ?? 'left' });
    });
    const unload = () => running.leave();
    addEventListener('pagehide', unload);
    return () => {
      end();
      removeEventListener('pagehide', unload);
      running.leave();
    };
  }, [running]);

  async function enter(result: PreJoinResult) {
    const meeting = new Meeting(client, {
      meetingId: id,
      ...(result.password ? { password: result.password } : {}),
      publish: publishOptions(location.search),
    });
    for (const source of ['microphone', 'camera'] as const) {
      const track = result.tracks[source];
      if (track) meeting.publish(source, track);
    }
    await meeting.join();
    expose(meeting);
    setStage({ name: 'in', meeting, chosen: result.chosen });
  }

  if (stage.name === 'in') {
    return (
      <Room
        meeting={stage.meeting}
        session={session}
        info={info}
        chosen={stage.chosen}
        onLeave={() => stage.meeting.leave()}
      />
    );
  }
  return (
    <>
      <TopBar>
        <span class="who">{session.user.nickname}</span>
      </TopBar>
      {stage.name === 'after' ? (
        <main class="page narrow">
          <div class="card stack" data-testid="farewell">
            <h1>{ENDINGS[stage.reason]}</h1>
            <div class="row">
              <button
                class="button primary"
                type="button"
                data-testid="rejoin"
                onClick={() => setStage({ name: 'before' })}
              >
                Enter again
              </button>
              <a class="button" href="/">
                To the start page
              </a>
            </div>
          </div>
        </main>
      ) : problem ? (
        <main class="page narrow">
          <div class="card stack">
            <h1>Meeting</h1>
            <Problem text={problem} />
            <a class="button" href="/">
              To the start page
            </a>
          </div>
        </main>
      ) : (
        info && <PreJoin info={info} session={session} onJoin={enter} />
      )}
    </>
  );
}

const CODECS = ['vp8', 'vp9', 'h264', 'av1'] as const;

/** `?codec=vp9&svc=L3T3_KEY`: how the camera is sent, for trying things out. */
function publishOptions(query: string): PublishOptions {
  const words = new URLSearchParams(query);
  const codec = CODECS.find((name) => name === words.get('codec'));
  const mode = /^[LS][1-3]T[1-3](_KEY|h)?$/.exec(words.get('svc') ?? '')?.[0];
  return { ...(codec ? { codec } : {}), ...(mode ? { scalabilityMode: mode } : {}) };
}

/** Lets a test or a developer look inside; asked for by `localStorage['weir.debug'] = '1'`. */
function expose(meeting: Meeting): void {
  if (localStorage.getItem('weir.debug') === '1') {
    (window as unknown as { __weir: Meeting }).__weir = meeting;
  }
}
