import { type DeviceList, listDevices, openCamera, openMicrophone } from '@weir/sdk';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { describe } from '../ui/parts.js';

/** The two things one can switch before and in a meeting. */
export type DeviceKind = 'microphone' | 'camera';

/** Own microphone and camera before the meeting. */
export interface LocalDevices {
  list: DeviceList;
  tracks: Record<DeviceKind, MediaStreamTrack | null>;
  chosen: Record<DeviceKind, string>;
  problem: string | null;
  busy: boolean;
  toggle: (kind: DeviceKind) => Promise<void>;
  choose: (kind: DeviceKind, deviceId: string) => Promise<void>;
  /** While handed over, the tracks are not stopped when the preview goes. */
  handOver: (handed: boolean) => void;
}

const OPEN = { microphone: openMicrophone, camera: openCamera };

export function useDevices(wanted = true): LocalDevices {
  const [list, setList] = useState<DeviceList>({ microphones: [], cameras: [] });
  const [tracks, setTracks] = useState<LocalDevices['tracks']>({ microphone: null, camera: null });
  const [chosen, setChosen] = useState({ microphone: '', camera: '' });
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(wanted);
  const held = useRef(tracks);
  const gone = useRef(false);
  const handedOver = useRef(false);

  const put = useCallback((kind: DeviceKind, track: MediaStreamTrack | null) => {
    const old = held.current[kind];
    if (old !== track) old?.stop();
    held.current = { ...held.current, [kind]: track };
    setTracks(held.current);
  }, []);

  const open = useCallback(
    async (kind: DeviceKind, deviceId = '') => {
      try {
        const track = await OPEN[kind]({ deviceId: deviceId || undefined });
        if (gone.current) {
          track.stop();
          return;
        }
        put(kind, track);
        setChosen((c) => ({ ...c, [kind]: track.getSettings().deviceId ?? deviceId }));
        setProblem(null);
      } catch (error) {
        put(kind, null);
        setProblem(describe(error));
      }
    },
    [put],
  );

  useEffect(() => {
    if (!wanted) return;
    const refresh = () => void listDevices().then(setList);
    void (async () => {
      if (!navigator.mediaDevices) {
        setProblem('The browser gives camera and microphone to pages over HTTPS only.');
        setBusy(false);
        return;
      }
      // One after the other: two questions at once confuse people and some browsers.
      await open('microphone');
      await open('camera');
      setBusy(false);
      refresh();
    })();
    navigator.mediaDevices?.addEventListener('devicechange', refresh);
    return () => {
      gone.current = true;
      navigator.mediaDevices?.removeEventListener('devicechange', refresh);
      if (handedOver.current) return;
      held.current.microphone?.stop();
      held.current.camera?.stop();
    };
  }, [open, wanted]);

  return {
    list,
    tracks,
    chosen,
    problem,
    busy,
    toggle: async (kind) => {
      if (held.current[kind]) put(kind, null);
      else await open(kind, chosen[kind]);
    },
    choose: async (kind, deviceId) => {
      setChosen((c) => ({ ...c, [kind]: deviceId }));
      if (held.current[kind]) await open(kind, deviceId);
    },
    handOver: (handed) => {
      handedOver.current = handed;
    },
  };
}
