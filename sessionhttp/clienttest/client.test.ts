// Promise: a client that another language's generator makes from openapi.json
// compiles, and calls every route of a running server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Coverage, type Description, operations } from './coverage';
import { type Demo, startDemo } from './demo';
import * as api from './generated/client';
import { client } from './generated/client/client.gen';
import { nextEvent, type ServerEvent } from './watching';

const description = JSON.parse(
  readFileSync(join(__dirname, '../../../openapi.json'), 'utf8'),
) as Description;
const coverage = new Coverage(client);
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

// An id that the client must encode.
const path = { session_id: 'cliënt/ a+b?c' };
const user = 'cliënt/user';

let demo: Demo;
let headers: { 'X-Namespace': string };

before(async () => {
  demo = await startDemo();
  headers = { 'X-Namespace': demo.namespace };
  client.setConfig({ baseUrl: demo.url, auth: demo.key });
});

after(() => demo?.stop());

async function read(id = path.session_id): Promise<{ session: api.Session; etag: string }> {
  const { data, response } = await api.getSession({ headers, path: { session_id: id } });
  assert(data);
  return { session: data, etag: response.headers.get('ETag')! };
}

test('getHealth, getReadiness', async () => {
  const health = await api.getHealth();
  assert.equal(health.response.status, 200);
  assert.deepEqual(health.data, { status: 'ok' });
  const ready = await api.getReadiness();
  assert.equal(ready.response.status, 200);
  assert.deepEqual(ready.data, { status: 'ready' });
});

test('getDescription is what the client was generated from', async () => {
  const { data, response } = await api.getDescription();
  assert.equal(response.status, 200);
  assert.deepEqual(data, description);
});

test('createSession', async () => {
  const { data, response } = await api.createSession({
    headers: { ...headers, 'X-Request-Id': 'client-test-1' },
    body: {
      session_id: path.session_id,
      user_id: user,
      agent_config: { model: 'm-1', available_tools: ['clock'] },
      quotas: { max_messages: 100 },
      user_memory: { seat: 'window', meals: { breakfast: 'none' } },
      labels: { team: 'client' },
      expiry: { ttl: '1h', mode: 'absolute' },
    },
  });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('X-Request-Id'), 'client-test-1');
  const segment = /^\/v1\/agents\/sessions\/([^/]+)$/.exec(response.headers.get('Location')!)?.[1];
  assert.equal(decodeURIComponent(segment!), path.session_id);
  assert(data);
  assert.equal(data.session_id, path.session_id);
  assert.match(data.namespace_id, /^ns_/);
  assert.equal(data.session_name, null);
  assert.equal(data.status, 'active');
  assert.match(data.created_at, timestamp);
  assert.equal(Date.parse(data.expires_at!) - Date.parse(data.created_at), 3_600_000);
});

test('getSession, whole and not modified', async () => {
  const { session, etag } = await read();
  const agent: api.AgentConfig = {
    model: 'm-1', temperature: 0.7, max_tokens: 4096, system_prompt: null, available_tools: ['clock'],
  };
  assert.deepEqual(session.agent_config, agent);
  assert.equal(session.user_id, user);
  assert.deepEqual(session.user_memory, { seat: 'window', meals: { breakfast: 'none' } });
  assert.equal(session.message_count, 0);
  assert.deepEqual(session.stats, { total_messages: 0, total_tokens: 0, total_tool_calls: 0, avg_latency_ms: null });
  const again = await api.getSession({ path, headers: { ...headers, 'If-None-Match': etag } });
  assert.equal(again.response.status, 304);
  assert.equal(again.response.headers.get('ETag'), etag);
});

test('patchSession replaces, merges, and refuses what is stale', async () => {
  const { etag } = await read();
  const replaced = await api.patchSession({
    path, headers: { ...headers, 'If-Match': etag }, body: { user_memory: { seat: 'aisle', pet: 'cat' } },
  });
  assert.equal(replaced.response.status, 200);
  assert.match(replaced.data!.updated_at, timestamp);
  assert.deepEqual((await read()).session.user_memory, { seat: 'aisle', pet: 'cat' });

  const stale = await api.patchSession({
    path, headers: { ...headers, 'If-Match': etag }, body: { user_memory: null },
  });
  assert(stale.error?.status === 412);
  assert.equal(stale.error.error.type, 'PreconditionFailedError');

  const merge = { ...headers, 'Content-Type': 'application/merge-patch+json' };
  const merged = await api.patchSession({ path, headers: merge, body: { user_memory: { pet: null, tea: true } } });
  assert.equal(merged.response.status, 200);
  assert.deepEqual((await read()).session.user_memory, { seat: 'aisle', tea: true });
});

test('appendMessages, once and again', async () => {
  const call = {
    path,
    headers: { ...headers, 'Idempotency-Key': 'turn-1' },
    body: {
      messages: [
        { role: 'user', content: 'What time is it?', tokens: 5 },
        { role: 'assistant', content_type: 'tool_call', tool_name: 'clock', tool_inputs: { zone: 'UTC' }, latency_ms: 40 },
      ],
    } satisfies api.NewMessages,
  };
  const first = await api.appendMessages(call);
  assert.equal(first.response.status, 201);
  assert(first.data);
  assert.deepEqual([first.data.first_seq, first.data.last_seq, first.data.message_count], [1, 2, 2]);
  assert.equal(first.data.repeated, false);
  const second = await api.appendMessages(call);
  assert.equal(second.response.status, 200);
  assert.deepEqual(second.data, { ...first.data, repeated: true });
  assert.equal((await read()).session.message_count, 2);
});

test('getHistory, by pages', async () => {
  const first = await api.getHistory({ headers, path, query: { limit: 1 } });
  assert.equal(first.response.status, 200);
  assert(first.data);
  assert.deepEqual([first.data.total_messages, first.data.returned_messages, first.data.has_more], [2, 1, true]);
  assert.equal(first.data.messages[0]?.content, 'What time is it?');
  const second = await api.getHistory({ headers, path, query: { limit: 1, offset: 1 } });
  const message: api.Message | undefined = second.data?.messages[0];
  assert(message);
  assert.equal(message.role, 'assistant');
  assert.equal(message.content_type, 'tool_call');
  assert.deepEqual(message.tool_inputs, { zone: 'UTC' });
  assert.equal(message.tool_outputs, null);
  assert.match(message.timestamp, timestamp);
});

test('listSessions, without a body and by pages of a filter', async () => {
  const all = await api.listSessions({ headers });
  assert.equal(all.response.status, 200);
  assert.equal(all.data?.results[0]?.session_id, path.session_id, 'the newest is first');
  assert.equal(all.data.total, null);

  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await api.listSessions({
      headers,
      query: { limit: 1, include_total: true, ...(cursor && { cursor }) },
      body: { status: ['active'], filters: { user_id: 'mia' }, sort: { field: 'created_at', direction: 'asc' } },
    });
    assert(data);
    assert.equal(data.total, 2);
    ids.push(...data.results.map((session) => session.session_id));
    cursor = data.pagination.next_cursor ?? undefined;
  } while (cursor);
  assert.deepEqual(ids, ['trip-to-seattle', 'refund-4711']);
});

test('watchSessions, from now on', async () => {
  const end = new AbortController();
  const events: ServerEvent[] = [];
  const { stream } = await api.watchSessions({
    headers, signal: end.signal, sseMaxRetryAttempts: 1, onSseEvent: (event) => events.push(event),
    onSseError: (error) => { if (!end.signal.aborted) throw error; },
  });
  const open = await nextEvent(stream, events);
  assert.equal(open.event, 'open');
  const position = Number(open.id);
  assert.deepEqual(open.data, { position });
  await api.appendMessages({ headers, path, body: { messages: [{ role: 'user', content: 'Thanks.' }] } });
  const appended = await nextEvent(stream, events);
  assert.equal(appended.event, 'appended');
  assert.equal(appended.id, String(position + 1));
  const event = appended.data as api.Event;
  assert.deepEqual(
    [event.kind, event.position, event.session_id, event.status, event.last_seq],
    ['appended', position + 1, path.session_id, 'active', 3],
  );
  assert.match(event.time, timestamp);
  end.abort();
});

test('forkSession, at a message', async () => {
  const { data, response } = await api.forkSession({ headers, path, body: { session_id: 'copy', seq: 1 } });
  assert.equal(response.status, 201);
  assert.deepEqual(data?.parent, { session_id: path.session_id, seq: 1 });
  assert.equal((await read('copy')).session.message_count, 1);
});

test('transitionSession, and one that is not allowed', async () => {
  const done = await api.transitionSession({ headers, path, body: { status: 'archived', reason: 'done', actor: 'test' } });
  assert.equal(done.response.status, 200);
  assert.equal(done.data?.status, 'archived');
  assert.equal(done.data.terminated_at, null);
  const { error } = await api.transitionSession({ headers, path, body: { status: 'idle' } });
  assert(error?.status === 409);
  const details = error.error.details;
  assert.deepEqual([details.reason, details.from, details.to], ['transition', 'archived', 'idle']);
  assert.equal((await read()).session.status, 'archived');
});

test('deleteSession terminates, and erases with purge', async () => {
  const terminated = await api.deleteSession({ headers, path });
  assert.equal(terminated.response.status, 200);
  assert(terminated.data && 'terminated_at' in terminated.data);
  assert.equal(terminated.data.status, 'terminated');
  assert.match(terminated.data.terminated_at, timestamp);

  const purged = await api.deleteSession({ headers, path, query: { purge: true } });
  assert.equal(purged.response.status, 200);
  assert(purged.data && 'erased' in purged.data);
  assert.deepEqual([purged.data.erased.sessions, purged.data.erased.messages], [1, 3]);
  const { error } = await api.getSession({ headers, path });
  assert(error?.status === 404);
  assert.deepEqual(error.error.details, { resource: 'session', id: path.session_id });
});

test('deleteUser', async () => {
  const { data, response } = await api.deleteUser({ headers, path: { user_id: user } });
  assert.equal(response.status, 200);
  assert.equal(data?.user_id, user);
  assert.equal(data.erased.sessions, 1, 'the copy was left');
  const gone = await api.getSession({ headers, path: { session_id: 'copy' } });
  assert.equal(gone.response.status, 404);
});

test('errors have the types that the client knows', async () => {
  const noKey = await api.getSession({ headers, path, auth: undefined });
  assert(noKey.error?.status === 401);
  assert.equal(noKey.error.error.type, 'AuthenticationError');
  const { error } = await api.createSession({ headers, body: { agent_config: { temperature: 3 } } });
  assert(error?.status === 422);
  assert.deepEqual(
    error.error.details.fields.map(({ field, minimum, maximum }) => ({ field, minimum, maximum })),
    [{ field: 'agent_config.temperature', minimum: 0, maximum: 2 }],
  );
});

test('every operation of the description was called, with every success it has', () => {
  assert(operations(description).length > 0);
  assert.deepEqual(coverage.missing(description), []);
  assert.deepEqual(coverage.undescribed(description), []);
});
