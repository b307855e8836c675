import type { MeetingInfo, Session } from '@weir/sdk';
import { useState } from 'preact/hooks';
import { Icon } from '../ui/icons.js';
import { Avatar, describe, Field, Problem } from '../ui/parts.js';
import { type DeviceKind, type LocalDevices, useDevices } from './devices.js';
import { useTrack } from './hooks.js';

/** What the preview hands to the meeting. */
export interface PreJoinResult {
  tracks: Record<DeviceKind, MediaStreamTrack | null>;
  chosen: Record<DeviceKind, string>;
  password: string;
}

/** Look at yourself, choose devices, enter. */
export function PreJoin(props: {
  info: MeetingInfo;
  session: Session;
  onJoin: (result: PreJoinResult) => Promise<void>;
}) {
  const { info, session } = props;
  // In a webinar only hosts send; who is made one in the meeting switches on there.
  const watches =
    info.settings.who_may_publish === 'hosts' && info.creator_id !== session.user.user_id;
  const devices = useDevices(!watches);
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const video = useTrack<HTMLVideoElement>(devices.tracks.camera ?? undefined);
  const asksPassword = info.has_password && info.creator_id !== session.user.user_id;

  async function submit(event: Event) {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    devices.handOver(true);
    try {
      await props.onJoin({ tracks: devices.tracks, chosen: devices.chosen, password });
    } catch (error) {
      devices.handOver(false);
      setProblem(describe(error));
      setBusy(false);
    }
  }

  return (
    <main class="page" data-testid="prejoin">
      <h1>{info.title}</h1>
      <form class="prejoin" onSubmit={submit}>
        <div class="preview tile">
          <video
            ref={video}
            class="mirrored"
            muted
            playsInline
            hidden={!devices.tracks.camera}
            aria-label="Your camera"
            data-testid="preview"
          />
          {!devices.tracks.camera && (
            <Avatar name={session.user.nickname} id={session.user.user_id} />
          )}
          {!watches && (
            <div class="preview-controls">
              <DeviceToggle kind="microphone" devices={devices} />
              <DeviceToggle kind="camera" devices={devices} />
            </div>
          )}
        </div>
        <div class="card stack">
          {watches ? (
            <p data-testid="watches">Only hosts are seen and heard here. You watch and listen.</p>
          ) : (
            <>
              <DeviceSelect kind="microphone" label="Microphone" devices={devices} />
              <DeviceSelect kind="camera" label="Camera" devices={devices} />
            </>
          )}
          {asksPassword && (
            <Field
              label="Meeting password"
              name="meeting-password"
              type="password"
              value={password}
              onInput={setPassword}
            />
          )}
          {devices.problem && (
            <p class="aside" data-testid="device-problem">
              {devices.problem} You can enter without.
            </p>
          )}
          <Problem text={problem} />
          <button
            class="button primary wide"
            type="submit"
            disabled={busy || devices.busy}
            data-testid="join"
          >
            Enter the meeting
          </button>
        </div>
      </form>
    </main>
  );
}

function DeviceToggle({ kind, devices }: { kind: DeviceKind; devices: LocalDevices }) {
  const on = devices.tracks[kind] !== null;
  const icon = kind === 'microphone' ? (on ? 'mic' : 'micOff') : on ? 'camera' : 'cameraOff';
  return (
    <button
      class={`button round ${on ? '' : 'off'}`}
      type="button"
      aria-pressed={on}
      aria-label={kind === 'microphone' ? 'Microphone' : 'Camera'}
      title={`${kind === 'microphone' ? 'Microphone' : 'Camera'} ${on ? 'on' : 'off'}`}
      disabled={devices.busy}
      data-testid={`preview-${kind}`}
      onClick={() => void devices.toggle(kind)}
    >
      <Icon name={icon} />
    </button>
  );
}

function DeviceSelect(props: { kind: DeviceKind; label: string; devices: LocalDevices }) {
  const { kind, label, devices } = props;
  const list = kind === 'microphone' ? devices.list.microphones : devices.list.cameras;
  const id = `select-${kind}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={devices.chosen[kind]}
        disabled={list.length === 0}
        data-testid={id}
        onChange={(event) => void devices.choose(kind, event.currentTarget.value)}
      >
        {list.length === 0 && <option value="">{devices.busy ? 'Looking…' : 'None found'}</option>}
        {list.map((device, n) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${label} ${n + 1}`}
          </option>
        ))}
      </select>
    </div>
  );
}
