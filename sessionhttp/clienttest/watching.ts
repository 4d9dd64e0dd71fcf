import assert from 'node:assert/strict';

/** One server-sent event, as the generated client hands it on. */
export interface ServerEvent {
  data: unknown;
  event?: string;
  id?: string;
}

/** Waits for the stream's next event; events are those that it has handed on. */
export async function nextEvent(stream: AsyncGenerator<unknown>, events: ServerEvent[]): Promise<ServerEvent> {
  const { done } = await stream.next();
  assert(!done, 'the watch ended');
  const event = events.shift();
  assert(event);
  return event;
}
