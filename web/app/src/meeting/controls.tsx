import { listDevices, type Meeting, openCamera, openMicrophone, openScreen } from '@weir/sdk';
import { useState } from 'preact/hooks';
import { meetingLink } from '../router.js';
import { Icon, type IconName } from '../ui/icons.js';
import { describe } from '../ui/parts.js';
import type { DeviceKind } from './devices.js';
import { useEvents } from './hooks.js';
import { ReactionChoice } from './reactions.js';

export type Panel = 'chat' | 'people' | null;

/** The buttons at the foot of a meeting. */
export function Controls(props: {
  meeting: Meeting;
  chosen: Record<DeviceKind, string>;
  panel: Panel;
  unread: number;
  canShare: boolean;
  onPanel: (panel: Panel) => void;
  onLeave: () => void;
  onProblem: (text: string) => void;
}) {
  const { meeting, panel } = props;
  useEvents(meeting, ['local', 'participants', 'room']);
  const [busy, setBusy] = useState(false);
  const [copied, setCopied] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const { may, waiting } = meeting.room;
  const local = meeting.local;
  const hand = meeting.handRaised;

  async function run(action: () => Promise<void>) {
    setBusy(true);
    try {
      await action();
    } catch (error) {
      // Closing the browser's own dialog is no error.
      const cancelled = error instanceof DOMException && error.name === 'NotAllowedError';
      if (!cancelled) props.onProblem(describe(error));
    }
    setBusy(false);
  }

  const toggleMic = () =>
    run(async () => {
      if (local.tracks.microphone) meeting.setMuted('microphone', local.audio);
      else meeting.publish('microphone', await openMicrophone(await choice('microphone')));
    });
  const toggleCamera = () =>
    run(async () => {
      if (local.tracks.camera) meeting.unpublish('camera');
      else meeting.publish('camera', await openCamera(await choice('camera')));
    });
  const toggleScreen = () =>
    run(async () => {
      if (local.screen) {
        meeting.unpublish('screen_audio');
        meeting.unpublish('screen');
        return;
      }
      const { video, audio } = await openScreen();
      meeting.publish('screen', video);
      if (audio) meeting.publish('screen_audio', audio);
    });

  /** The device chosen before the meeting, if it is still there. */
  async function choice(kind: DeviceKind) {
    const list = await listDevices();
    const devices = kind === 'microphone' ? list.microphones : list.cameras;
    const known = devices.some((d) => d.deviceId === props.chosen[kind]);
    return known ? { deviceId: props.chosen[kind] } : {};
  }

  async function copyLink() {
    try {
      await navigator.clipboard.writeText(meetingLink(meeting.meetingId));
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    } catch {
      props.onProblem(`The link: ${meetingLink(meeting.meetingId)}`);
    }
  }

  return (
    <div class="controls" role="toolbar" aria-label="Meeting controls">
      {may.audio && (
        <Control
          icon={local.audio ? 'mic' : 'micOff'}
          label={local.audio ? 'Mute' : 'Unmute'}
          testId="toggle-mic"
          off={!local.audio}
          disabled={busy}
          onClick={toggleMic}
        />
      )}
      {may.video && (
        <Control
          icon={local.video ? 'camera' : 'cameraOff'}
          label={local.video ? 'Stop camera' : 'Start camera'}
          testId="toggle-camera"
          off={!local.video}
          disabled={busy}
          onClick={toggleCamera}
        />
      )}
      {!may.audio && !may.video && (
        <p class="aside viewer-note" data-testid="viewer">
          You watch and listen.
        </p>
      )}
      {props.canShare && (
        <Control
          icon="screen"
          label={local.screen ? 'Stop sharing' : 'Share screen'}
          testId="toggle-screen"
          active={local.screen}
          disabled={busy}
          onClick={toggleScreen}
        />
      )}
      <Control
        icon="hand"
        label={hand ? 'Lower hand' : 'Raise hand'}
        testId="toggle-hand"
        active={hand}
        onClick={() => meeting.setHandRaised(!hand)}
      />
      <div class="with-choice">
        {choosing && <ReactionChoice meeting={meeting} onDone={() => setChoosing(false)} />}
        <Control
          icon="smile"
          label="React"
          testId="toggle-react"
          active={choosing}
          onClick={() => setChoosing(!choosing)}
        />
      </div>
      <Control
        icon="people"
        label="Participants"
        testId="toggle-people"
        active={panel === 'people'}
        count={waiting.length}
        counted="waiting"
        onClick={() => props.onPanel(panel === 'people' ? null : 'people')}
      />
      <Control
        icon="chat"
        label="Chat"
        testId="toggle-chat"
        active={panel === 'chat'}
        count={props.unread}
        onClick={() => props.onPanel(panel === 'chat' ? null : 'chat')}
      />
      <Control
        icon="link"
        label={copied ? 'Copied' : 'Copy link'}
        testId="copy-link"
        onClick={() => void copyLink()}
      />
      <button
        class="control leave"
        type="button"
        data-testid="leave"
        aria-label="Leave"
        title="Leave"
        onClick={props.onLeave}
      >
        <Icon name="leave" />
        <span class="control-label">Leave</span>
      </button>
    </div>
  );
}

function Control(props: {
  icon: IconName;
  label: string;
  testId: string;
  off?: boolean;
  active?: boolean;
  disabled?: boolean;
  count?: number;
  /** What is counted. */
  counted?: string;
  onClick: () => void;
}) {
  const look = props.off ? 'off' : props.active ? 'active' : '';
  return (
    <button
      class={`control ${look}`}
      type="button"
      data-testid={props.testId}
      data-on={!(props.off ?? false)}
      aria-pressed={props.active}
      title={props.label}
      disabled={props.disabled ?? false}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
      <span class="control-label">{props.label}</span>
      {!!props.count && (
        <span class="count">
          {props.count}
          <span class="sr-only"> {props.counted ?? 'unread'}</span>
        </span>
      )}
    </button>
  );
}
