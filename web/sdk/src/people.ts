import type { JoinAnswer, MediaState, PersonMessage, Role } from './messages.js';

/** Somebody else in the meeting. */
export interface Participant {
  userId: number;
  username: string;
  /** What to show: the nickname, else the user name. */
  name: string;
  role: Role;
  /** Its own statement; null while it has made none. */
  media: Partial<MediaState>;
  handRaised: boolean;
}

/** Who else is in the meeting, in order of arrival. */
export class People {
  private readonly byId = new Map<number, Participant>();
  /** Raised hands, one's own too, first raised first. */
  private hands: number[] = [];
  private totalNow = 1;

  constructor(private readonly selfId: number) {}

  /** Everybody else. */
  list(): Participant[] {
    return [...this.byId.values()];
  }

  get(userId: number): Participant | undefined {
    return this.byId.get(userId);
  }

  /** How many people are here, oneself included; more than are known in a large meeting. */
  get total(): number {
    return Math.max(this.totalNow, this.byId.size + 1);
  }

  /** Whose hands are up, first raised first. */
  get raisedHands(): readonly number[] {
    return this.hands;
  }

  /** Takes the answer to joining. */
  enter(answer: JoinAnswer): void {
    this.reset(answer.participants ?? []);
    this.totalNow = answer.online_total ?? this.byId.size + 1;
    this.hands = (answer.hands ?? []).map((hand) => hand.user_id);
    for (const id of this.hands) this.mark(id, true);
  }

  /** The server's count. */
  count(total: number): void {
    this.totalNow = total;
  }

  /** Takes a page of people: who is known already stays as he is. */
  add(people: readonly PersonMessage[]): void {
    for (const person of people) {
      if (person.status === 'online' && !this.byId.has(person.user_id)) this.join(person);
    }
  }

  role(userId: number, role: Role): void {
    const person = this.byId.get(userId);
    if (person) this.byId.set(userId, { ...person, role });
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
      handRaised: person.hand_raised ?? known?.handRaised ?? false,
    });
  }

  leave(userId: number): void {
    this.hands = this.hands.filter((id) => id !== userId);
    this.byId.delete(userId);
  }

  /** Merges a statement of what somebody sends. */
  media(userId: number, state: Partial<MediaState>): void {
    const person = this.byId.get(userId);
    if (person) this.byId.set(userId, { ...person, media: { ...person.media, ...state } });
  }

  hand(userId: number, handRaised: boolean): void {
    this.hands = this.hands.filter((id) => id !== userId);
    if (handRaised) this.hands.push(userId);
    this.mark(userId, handRaised);
  }

  private mark(userId: number, handRaised: boolean): void {
    const person = this.byId.get(userId);
    if (person) this.byId.set(userId, { ...person, handRaised });
  }
}
