import type { ChatMessage } from './types.js';

/** Lines of chat kept. */
const KEPT = 500;

/** The lines known with new ones among them, each once, in order; the oldest go. */
export function mergeChat(known: ChatMessage[], lines: ChatMessage[]): ChatMessage[] {
  const byId = new Map(known.map((m) => [m.message_id, m]));
  for (const line of lines) byId.set(line.message_id, line);
  return [...byId.values()].sort((a, b) => a.message_id - b.message_id).slice(-KEPT);
}
