import { Icon } from '../ui/icons.js';
import { Avatar } from '../ui/parts.js';
import { useTrack } from './hooks.js';
import type { ScreenView, TileView } from './tiles.js';

/** One person. */
export function Tile(props: {
  view: TileView;
  own?: boolean;
  speaking: boolean;
  /** Fills the stage. */
  large?: boolean;
  pinned?: boolean;
  onPin?: () => void;
}) {
  const { view, own = false, speaking, pinned = false } = props;
  // A browser would show the last frame of a paused picture for ever.
  const paused = view.paused && !view.cameraOff && !view.unavailable;
  const on = view.track && !view.cameraOff && !view.unavailable && !view.paused;
  const shown = on ? view.track : undefined;
  const video = useTrack<HTMLVideoElement>(shown);
  const states = [
    view.micOff ? 'microphone off' : '',
    view.cameraOff ? 'camera off' : '',
    paused ? 'paused' : '',
    speaking ? 'speaking' : '',
  ].filter(Boolean);
  return (
    <figure
      class={`tile ${speaking ? 'speaking' : ''} ${props.large ? 'large' : ''}`}
      data-testid={own ? 'tile-own' : 'tile'}
      data-user={view.userId}
      data-speaking={speaking}
      data-large={props.large ?? false}
      data-pinned={pinned}
      aria-label={[view.name, ...states].join(', ')}
    >
      <video
        ref={video}
        class={own ? 'mirrored' : ''}
        muted
        autoplay
        playsInline
        hidden={!shown}
        data-testid="tile-video"
      />
      {!shown && <Avatar name={view.name} id={view.userId} />}
      {props.onPin && (
        <button
          class={`pin ${pinned ? 'on' : ''}`}
          type="button"
          aria-pressed={pinned}
          title={pinned ? 'Unpin' : 'Pin'}
          aria-label={`${pinned ? 'Unpin' : 'Pin'} ${view.name}`}
          data-testid="pin"
          onClick={props.onPin}
        >
          <Icon name="pin" />
        </button>
      )}
      {view.unavailable && <p class="tile-note">This browser cannot decode the picture.</p>}
      {paused && <Paused />}
      <figcaption class="tile-bar">
        {view.micOff && (
          <span class="badge off" data-testid="badge-muted" title="Microphone off">
            <Icon name="micOff" />
          </span>
        )}
        <span class="tile-name" data-testid="tile-name">
          {view.name}
          {own ? ' (you)' : ''}
        </span>
        {view.handRaised && (
          <span class="badge hand" data-testid="badge-hand" title="Hand raised">
            <Icon name="hand" />
          </span>
        )}
      </figcaption>
    </figure>
  );
}

function Paused() {
  return (
    <p class="tile-note paused" data-testid="paused">
      Paused: weak connection
    </p>
  );
}

/** One shared screen. */
export function ScreenTile({ view, own = false }: { view: ScreenView; own?: boolean }) {
  const video = useTrack<HTMLVideoElement>(view.track);
  const label = own ? 'Your screen' : `Screen of ${view.name}`;
  return (
    <figure class="tile screen" data-testid="screen" data-user={view.userId} aria-label={label}>
      <video ref={video} muted autoplay playsInline data-testid="screen-video" />
      {view.paused && <Paused />}
      <figcaption class="tile-bar">
        <span class="tile-name">{label}</span>
      </figcaption>
    </figure>
  );
}

/** Plays one audio slot for as long as the meeting lasts, whoever is in it. */
export function SlotAudio({ track }: { track: MediaStreamTrack }) {
  const audio = useTrack<HTMLAudioElement>(track);
  // biome-ignore lint/a11y/useMediaCaption: live speech has no captions yet.
  return <audio ref={audio} autoplay />;
}
