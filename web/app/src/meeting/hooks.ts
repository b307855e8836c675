import type { ConnectionStats, Meeting, MeetingEvents, Speaker } from '@weir/sdk';
import { useEffect, useRef, useState } from 'preact/hooks';

/** Renders again on each of the named events. */
export function useEvents(meeting: Meeting, names: readonly (keyof MeetingEvents)[]): void {
  const [, setTick] = useState(0);
  const key = names.join();
  useEffect(() => {
    const ends = names.map((name) => meeting.on(name, () => setTick((n) => n + 1)));
    return () => {
      for (const end of ends) end();
    };
  }, [meeting, key]);
}

export function useSpeakers(meeting: Meeting): Speaker[] {
  const [speakers, setSpeakers] = useState<Speaker[]>([]);
  useEffect(() => meeting.on('speakers', setSpeakers), [meeting]);
  return speakers;
}

export function useStats(meeting: Meeting): ConnectionStats | null {
  const [stats, setStats] = useState<ConnectionStats | null>(null);
  useEffect(() => meeting.on('stats', setStats), [meeting]);
  return stats;
}

/** A ref for a media element that plays `track`. */
export function useTrack<E extends HTMLMediaElement>(track: MediaStreamTrack | undefined) {
  const ref = useRef<E>(null);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    element.srcObject = track ? new MediaStream([track]) : null;
    // Without a gesture a browser may refuse; the next click on the page starts it.
    const play = () => void element.play().catch(() => {});
    if (track) play();
    document.addEventListener('click', play, { once: true });
    return () => {
      document.removeEventListener('click', play);
      element.srcObject = null;
    };
  }, [track]);
  return ref;
}
