/**
 * The part of the API this client uses, in the shape openapi-typescript generates.
 * Stands in until `npm run generate` can read the server's OpenAPI document.
 */
interface Envelope<T> {
  code: number;
  message: string;
  data: T;
  timestamp: string;
  request_id: string;
}

interface Ok<T> {
  content: { 'application/json; charset=utf-8': Envelope<T> };
}

interface Json<T> {
  content: { 'application/json; charset=utf-8': T };
}

interface User {
  user_id: number;
  username: string;
  email: string;
  nickname: string;
}

interface MeetingSettings {
  enable_recording: boolean;
  enable_chat: boolean;
  enable_screen_share: boolean;
  enable_waiting_room: boolean;
  mute_on_join: boolean;
}

interface MeetingSummary {
  meeting_id: number;
  title: string;
  start_time: string;
  end_time: string;
  status: 'scheduled' | 'ongoing' | 'ended' | 'cancelled';
  participant_count: number;
}

interface MeetingInfo {
  meeting_id: number;
  title: string;
  description: string;
  start_time: string;
  end_time: string;
  max_participants: number;
  meeting_type: 'video' | 'audio';
  status: 'scheduled' | 'ongoing' | 'ended' | 'cancelled';
  creator_id: number;
  settings: MeetingSettings;
  has_password: boolean;
  created_at: string;
}

interface IceServer {
  urls: string | string[];
  username?: string;
  credential?: string;
}

interface Participant {
  participant_id: number;
  meeting_id: number;
  user_id: number;
  username: string;
  nickname: string;
  role: 'host' | 'moderator' | 'participant';
  status: 'online' | 'offline' | 'waiting';
  joined_at: string;
}

interface ChatMessage {
  message_id: number;
  user_id: number;
  username: string;
  content: string;
  timestamp: string;
}

interface ById {
  path: { id: number };
}

export interface paths {
  '/api/v1/auth/register': {
    post: {
      requestBody: Json<{ username: string; email: string; password: string; nickname?: string }>;
      responses: { 200: Ok<User & { created_at: string }> };
    };
  };
  '/api/v1/auth/login': {
    post: {
      requestBody: Json<{ username: string; password: string }>;
      responses: {
        200: Ok<{ token: string; refresh_token: string; expires_in: number; user: User }>;
      };
    };
  };
  '/api/v1/auth/refresh': {
    post: {
      requestBody: Json<{ refresh_token: string }>;
      responses: { 200: Ok<{ token: string; expires_in: number }> };
    };
  };
  '/api/v1/auth/logout': {
    post: {
      requestBody?: Json<{ refresh_token?: string }>;
      responses: { 200: Ok<Record<string, never>> };
    };
  };
  '/api/v1/meetings': {
    get: {
      parameters: { query?: { page?: number; page_size?: number } };
      responses: { 200: Ok<{ meetings: MeetingSummary[]; total: number }> };
    };
    post: {
      requestBody: Json<{
        title: string;
        description?: string;
        start_time: string;
        end_time: string;
        max_participants: number;
        meeting_type: 'video' | 'audio';
        password?: string;
        settings?: Partial<MeetingSettings>;
      }>;
      responses: { 201: Ok<MeetingInfo> };
    };
  };
  '/api/v1/meetings/{id}': {
    get: { parameters: ById; responses: { 200: Ok<MeetingInfo> } };
  };
  '/api/v1/meetings/{id}/join': {
    post: {
      parameters: ById;
      requestBody?: Json<{ password?: string }>;
      responses: {
        200: Ok<{
          meeting_id: number;
          participant_id: number;
          room_url: string;
          ice_servers: IceServer[];
        }>;
      };
    };
  };
  '/api/v1/meetings/{id}/leave': {
    post: { parameters: ById; responses: { 200: Ok<Record<string, never>> } };
  };
  '/api/v1/meetings/{id}/end': {
    post: { parameters: ById; responses: { 200: Ok<Record<string, never>> } };
  };
  '/api/v1/meetings/{id}/participants': {
    get: {
      parameters: ById;
      responses: { 200: Ok<{ participants: Participant[]; total: number }> };
    };
  };
  '/api/v1/meetings/{id}/messages': {
    get: {
      parameters: ById & { query?: { page?: number; page_size?: number; order?: 'asc' | 'desc' } };
      responses: { 200: Ok<{ messages: ChatMessage[]; total: number }> };
    };
  };
}
