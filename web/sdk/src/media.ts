/** Where the microphone, camera or screen comes from. */
export interface DeviceChoice {
  /** Device id from {@link listDevices}; the browser's choice when absent. */
  deviceId?: string | undefined;
}

/** What a page can offer to choose from. */
export interface DeviceList {
  microphones: MediaDeviceInfo[];
  cameras: MediaDeviceInfo[];
}

/** Microphones and cameras; their names are known only after a permission was given. */
export async function listDevices(): Promise<DeviceList> {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return {
    microphones: devices.filter((d) => d.kind === 'audioinput' && d.deviceId),
    cameras: devices.filter((d) => d.kind === 'videoinput' && d.deviceId),
  };
}

/** Opens a camera. */
export async function openCamera(choice: DeviceChoice = {}): Promise<MediaStreamTrack> {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: {
      width: { ideal: 1280 },
      height: { ideal: 720 },
      frameRate: { ideal: 30, max: 30 },
      ...(choice.deviceId ? { deviceId: { exact: choice.deviceId } } : {}),
    },
  });
  return first(stream.getVideoTracks());
}

/** Opens a microphone. */
export async function openMicrophone(choice: DeviceChoice = {}): Promise<MediaStreamTrack> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: {
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
      ...(choice.deviceId ? { deviceId: { exact: choice.deviceId } } : {}),
    },
  });
  return first(stream.getAudioTracks());
}

/** Asks for a screen, window or tab, with its sound where the browser can. */
export async function openScreen(): Promise<{
  video: MediaStreamTrack;
  audio: MediaStreamTrack | null;
}> {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { ideal: 15, max: 30 } },
    audio: true,
  });
  const video = first(stream.getVideoTracks());
  video.contentHint = 'detail';
  return { video, audio: stream.getAudioTracks()[0] ?? null };
}

function first(tracks: MediaStreamTrack[]): MediaStreamTrack {
  const track = tracks[0];
  if (!track) throw new Error('the browser gave no track');
  return track;
}
