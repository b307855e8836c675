import { useEffect, useState } from 'preact/hooks';

/** Where the page is. */
export type Route = { page: 'home' } | { page: 'meeting'; id: number } | { page: 'unknown' };

export function parseRoute(path: string): Route {
  if (path === '/') return { page: 'home' };
  const meeting = /^\/m\/(\d{1,15})\/?$/.exec(path);
  if (meeting) return { page: 'meeting', id: Number(meeting[1]) };
  return { page: 'unknown' };
}

/** A meeting's number out of what people paste: the number itself or a link. */
export function parseMeetingInput(text: string): number | null {
  const trimmed = text.trim();
  const match = /^([\d\s-]{1,24})$/.exec(trimmed) ?? /\/m\/(\d{1,15})(?:[/?#].*)?$/.exec(trimmed);
  const digits = match?.[1]?.replace(/[\s-]/g, '') ?? '';
  const id = Number(digits);
  return digits && Number.isSafeInteger(id) && id > 0 ? id : null;
}

/** The link that leads into a meeting. */
export function meetingLink(id: number): string {
  return `${location.origin}/m/${id}`;
}

/** Goes to a page of ours without loading anything. */
export function navigate(path: string, replace = false): void {
  if (replace) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.pathname));
  useEffect(() => {
    const update = () => setRoute(parseRoute(location.pathname));
    addEventListener('popstate', update);
    return () => removeEventListener('popstate', update);
  }, []);
  return route;
}
