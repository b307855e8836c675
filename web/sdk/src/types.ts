import type { paths } from './api.gen.js';

type Json<C> = C extends { content: infer T } ? T[keyof T] : never;
type Verb = 'get' | 'post' | 'put' | 'delete';

/** Paths that answer to a verb. */
export type PathOf<V extends Verb> = {
  [P in keyof paths]: paths[P] extends { [K in V]: object } ? P : never;
}[keyof paths];
/** One operation. */
export type Operation<P extends keyof paths, V extends Verb> = paths[P] extends {
  [K in V]: infer O;
}
  ? O
  : never;
/** An operation's JSON body. */
export type BodyOf<O> = O extends { requestBody: infer B }
  ? Json<B>
  : O extends { requestBody?: infer B }
    ? Json<NonNullable<B>> | undefined
    : undefined;
type Success<R> = R extends { 200: infer S } ? S : R extends { 201: infer S } ? S : never;
/** The `data` of an operation's good answer. */
export type DataOf<O> = O extends { responses: infer R }
  ? Json<Success<R>> extends { data: infer D }
    ? D
    : never
  : never;
type ParametersOf<O> = O extends { parameters: infer P } ? P : object;
/** An operation's path parameters and query. */
export type ParamsOf<O> = (ParametersOf<O> extends { path: infer P } ? { path: P } : object) &
  (ParametersOf<O> extends { query?: infer Q } ? { query?: Q | undefined } : object);

/** Somebody in a meeting, as the API tells. */
export type ParticipantInfo = DataOf<
  Operation<'/api/v1/meetings/{id}/participants', 'get'>
>['participants'][number];
/** A meeting in full. */
export type MeetingInfo = DataOf<Operation<'/api/v1/meetings/{id}', 'get'>>;
/** Switches of a meeting. */
export type MeetingSettings = MeetingInfo['settings'];
/** A meeting in a list. */
export type MeetingSummary = DataOf<Operation<'/api/v1/meetings', 'get'>>['meetings'][number];
/** A line of chat. */
export type ChatMessage = DataOf<
  Operation<'/api/v1/meetings/{id}/messages', 'get'>
>['messages'][number];
/** What a meeting is made of. */
export type NewMeeting = BodyOf<Operation<'/api/v1/meetings', 'post'>>;
/** An answer to joining. */
export type JoinInfo = DataOf<Operation<'/api/v1/meetings/{id}/join', 'post'>>;
