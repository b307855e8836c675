import { ApiError } from '@weir/sdk';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import logo from './logo.svg';

/** A labelled input. */
export function Field(props: {
  label: string;
  name: string;
  type?: 'text' | 'email' | 'password';
  value: string;
  onInput: (value: string) => void;
  required?: boolean;
  minLength?: number;
  maxLength?: number;
  autoComplete?: string;
  placeholder?: string;
  hint?: string;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        name={props.name}
        type={(props.type ?? 'text') as 'text'}
        value={props.value}
        required={props.required ?? false}
        {...(props.minLength ? { minLength: props.minLength } : {})}
        {...(props.maxLength ? { maxLength: props.maxLength } : {})}
        autoComplete={props.autoComplete ?? 'off'}
        placeholder={props.placeholder ?? ''}
        aria-describedby={props.hint ? `${id}-hint` : undefined}
        data-testid={`field-${props.name}`}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
      {props.hint && (
        <small id={`${id}-hint`} class="hint">
          {props.hint}
        </small>
      )}
    </div>
  );
}

/** What went wrong, read out by screen readers; nothing when all is well. */
export function Problem({ text }: { text: string | null }) {
  return (
    <div role="alert" class="problem-place">
      {text && (
        <p class="problem" data-testid="problem">
          {text}
        </p>
      )}
    </div>
  );
}

/** An error in words for people. */
export function describe(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 0) return 'The server cannot be reached. Check your network.';
    if (error.code === 1004) return 'User name or password is wrong.';
    if (error.code === 1001) return 'This user name is taken.';
    if (error.code === 1002) return 'There is an account with this e-mail address already.';
    if (error.code === 2001) return 'There is no such meeting.';
    if (error.code === 2002) return 'This meeting has ended.';
    if (error.code === 2003) return 'This meeting is full.';
    if (error.code === 2004) return 'The meeting password is wrong.';
    if (error.status === 429) return 'Too many tries. Wait a minute.';
    const detail = error.details[0];
    return detail ? `${detail.field}: ${detail.message}` : error.message;
  }
  if (error instanceof DOMException) {
    switch (error.name) {
      case 'NotAllowedError':
        return 'The browser does not allow the use of camera or microphone here.';
      case 'NotFoundError':
      case 'OverconstrainedError':
        return 'No such device was found.';
      case 'NotReadableError':
        return 'The device is in use by another program.';
      default:
        return error.message;
    }
  }
  return error instanceof Error ? error.message : String(error);
}

/** The bar on top of the pages outside a meeting. */
export function TopBar({ children }: { children?: ComponentChildren }) {
  return (
    <header class="topbar">
      <a class="brand" href="/">
        <img src={logo} alt="" width="28" height="28" />
        <span>Weir</span>
      </a>
      <div class="topbar-end">{children}</div>
    </header>
  );
}

/** Two letters and a colour for who has no picture. */
export function Avatar({ name, id }: { name: string; id: number }) {
  const letters = name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase() ?? '')
    .join('');
  return (
    <span class={`avatar tint-${Math.abs(id) % 8}`} aria-hidden="true">
      {letters || '?'}
    </span>
  );
}
