import type { MediaState, PersonMessage } from './messages.js';

/** Somebody else in the meeting. */
export interface Participant {
  userId: number;
  username: string;
  /** What to show: the nickname, else the user name. */
  name: string;
  role: 'host' | 'moderator' | 'participant';
  /** Its own statement; null while it has made none. */
  media: Partial<MediaState>;
  handRaised: boolean;
}

/** Who else is in the meeting, in order of arrival. */
export class People {
  private readonly byId = new Map<number, Participant>();

  constructor(private readonly selfId: number) {}

  /** Everybody else. */
  list(): Participant[] {
    return [...this.byId.values()];
  }

  get(userId: number): Participant | undefined {
    return this.byId.get(userId);
  }

  /** Takes the complete list of a join answer. */
  reset(people: readonly PersonMessage[]): void {
    const before = new Map(this.byId);
    this.byId.clear();
    for (const person of people) {
      if (person.status && person.status !== 'online') continue;
      this.join(person, before.get(person.user_id));
    }
  }

  /** Somebody came. */
  join(person: PersonMessage, known = this.byId.get(person.user_id)): void {
    if (person.user_id === this.selfId) return;
    this.byId.set(person.user_id, {
      userId: person.user_id,
      username: person.username,
      name: person.nickname || person.username,
      role: person.role ?? known?.role ?? 'participant',
      media: { ...known?.media, ...person.media_state },
      handRaised: known?.handRaised ?? false,
    });
  }

  leave(userId: number): void {
    this.byId.delete(userId);
  }

  /** Merges a statement of what somebody sends. */
  media(userId: number, state: Partial<MediaState>): void {
    const person = this.byId.get(userId);
    if (person) this.byId.set(userId, { ...person, media: { ...person.media, ...state } });
  }

  hand(userId: number, handRaised: boolean): void {
    const person = this.byId.get(userId);
    if (person) this.byId.set(userId, { ...person, handRaised });
  }
}
