import type { ChatMessage, Meeting, Session } from '@weir/sdk';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../ui/icons.js';
import { useEvents } from './hooks.js';

/** Chat beside the tiles. */
export function ChatPanel(props: {
  meeting: Meeting;
  session: Session;
  enabled: boolean;
  onClose: () => void;
}) {
  const { meeting, session } = props;
  useEvents(meeting, ['chat', 'state']);
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const messages = meeting.chat;
  useEffect(() => input.current?.focus(), []);
  useEffect(() => end.current?.scrollIntoView({ block: 'nearest' }), [messages.length]);

  function submit(event: Event) {
    event.preventDefault();
    const content = text.trim();
    if (content && meeting.sendChat(content)) setText('');
  }

  return (
    <Side title="Chat" testId="chat" onClose={props.onClose}>
      <div class="messages" role="log" aria-live="polite" aria-label="Messages">
        {messages.length === 0 && <p class="aside">No messages yet.</p>}
        {messages.map((m) => (
          <Line key={m.message_id} message={m} own={m.user_id === session.user.user_id} />
        ))}
        <div ref={end} />
      </div>
      <form class="chat-form" onSubmit={submit}>
        <input
          ref={input}
          value={text}
          maxLength={1000}
          placeholder={props.enabled ? 'Message to everybody' : 'Chat is off in this meeting'}
          aria-label="Message"
          disabled={!props.enabled}
          data-testid="chat-input"
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button
          class="button round primary"
          type="submit"
          aria-label="Send"
          disabled={
            !props.enabled || meeting.state === 'reconnecting' || meeting.state === 'waiting'
          }
          data-testid="chat-send"
        >
          <Icon name="send" />
        </button>
      </form>
    </Side>
  );
}

function Line({ message, own }: { message: ChatMessage; own: boolean }) {
  const time = new Date(message.timestamp);
  return (
    <div class={`message ${own ? 'own' : ''}`} data-testid="chat-message">
      <div class="message-head">
        <strong>{message.username}</strong>
        <time dateTime={message.timestamp}>
          {time.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}
        </time>
      </div>
      <p>{message.content}</p>
    </div>
  );
}

/** A panel beside the tiles. */
export function Side(props: {
  title: string;
  testId: string;
  onClose: () => void;
  // biome-ignore lint/suspicious/noExplicitAny: whatever Preact can show.
  children: any;
}) {
  return (
    <aside
      class="side"
      aria-label={props.title}
      data-testid={props.testId}
      onKeyDown={(event) => {
        if (event.key === 'Escape') props.onClose();
      }}
    >
      <header class="side-head">
        <h2>{props.title}</h2>
        <button class="button round plain" type="button" aria-label="Close" onClick={props.onClose}>
          <Icon name="close" />
        </button>
      </header>
      {props.children}
    </aside>
  );
}
