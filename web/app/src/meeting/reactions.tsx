import type { Meeting } from '@weir/sdk';
import { useEffect, useRef, useState } from 'preact/hooks';

const CHOICE = ['👍', '❤️', '😂', '👏', '🎉', '😮'] as const;
/** How long a reaction is seen, as in the style sheet. */
const SEEN_MS = 4_000;
/** The most seen at once. */
const MOST = 20;

interface Flying {
  key: number;
  reaction: string;
  name: string;
}

/** What people react with, floating up for a moment. */
export function Reactions(props: { meeting: Meeting; nameOf: (userId: number) => string }) {
  const { meeting } = props;
  const [flying, setFlying] = useState<Flying[]>([]);
  const names = useRef(props.nameOf);
  names.current = props.nameOf;
  useEffect(() => {
    let key = 0;
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const end = meeting.on('reaction', ({ userId, reaction }) => {
      key += 1;
      const one = { key, reaction, name: names.current(userId) };
      setFlying((now) => [...now.slice(1 - MOST), one]);
      const timer = setTimeout(() => {
        timers.delete(timer);
        setFlying((now) => now.filter((other) => other.key !== one.key));
      }, SEEN_MS);
      timers.add(timer);
    });
    return () => {
      end();
      for (const timer of timers) clearTimeout(timer);
    };
  }, [meeting]);
  return (
    <div class="reactions" aria-live="polite" data-testid="reactions">
      {flying.map(({ key, reaction, name }) => (
        <div class={`reaction at-${key % 5}`} key={key} data-testid="reaction">
          <span class="reaction-sign">{reaction}</span>
          <span class="reaction-name">{name}</span>
        </div>
      ))}
    </div>
  );
}

/** The reactions to choose from. */
export function ReactionChoice(props: { meeting: Meeting; onDone: () => void }) {
  return (
    <div class="reaction-choice" role="menu" aria-label="Reactions" data-testid="reaction-choice">
      {CHOICE.map((reaction) => (
        <button
          key={reaction}
          class="button round plain"
          type="button"
          role="menuitem"
          aria-label={`React with ${reaction}`}
          data-testid="react"
          onClick={() => {
            props.meeting.react(reaction);
            props.onDone();
          }}
        >
          {reaction}
        </button>
      ))}
    </div>
  );
}
