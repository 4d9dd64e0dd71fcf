import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A running `seshat demo`, and how to reach it. */
export interface Demo {
  url: string;
  key: string;
  namespace: string;
  stop(): Promise<void>;
}

/** Starts the program that SESHAT names on a free port of loopback. */
export async function startDemo(): Promise<Demo> {
  const program = process.env['SESHAT'];
  assert(program, 'SESHAT is the path of the seshat program');
  const child = spawn(program, ['demo', '--addr=127.0.0.1:0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const info = JSON.parse(await firstLine(child)) as Omit<Demo, 'stop'>;
  return { ...info, stop: () => stop(child) };
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout!.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk;
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
  }
  throw new Error(`seshat demo ended before it was ready: ${text}`);
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], 'seshat demo shuts down cleanly');
}
