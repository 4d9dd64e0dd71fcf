import assert from 'node:assert/strict';

import type { Client } from './generated/client/client';

interface Operation {
  operationId: string;
  responses: Record<string, unknown>;
}

/** What is read of an OpenAPI description. */
export interface Description {
  paths: Record<string, Record<string, Operation>>;
}

/** Records which answers of which routes a client has received. */
export class Coverage {
  private readonly routes = new WeakMap<Request, string>();
  private readonly seen = new Map<string, Set<string>>();

  constructor(client: Client) {
    client.interceptors.request.use((request, options) => {
      this.routes.set(request, `${request.method} ${options.url}`);
      return request;
    });
    client.setConfig({ fetch: (request) => this.fetch(request as Request) });
  }

  private async fetch(request: Request): Promise<Response> {
    const response = await fetch(request);
    const route = this.routes.get(request);
    assert(route, `${request.method} ${request.url} was not sent by the generated client`);
    const statuses = this.seen.get(route) ?? new Set();
    this.seen.set(route, statuses.add(String(response.status)));
    return response;
  }

  /** The operations of the description that were not called, or did not give all their successes. */
  missing(description: Description): string[] {
    return this.compare(description, (described, seen) =>
      described.filter((status) => status < '400' && !seen.includes(status)));
  }

  /** The statuses that came back and that the description does not know. */
  undescribed(description: Description): string[] {
    return this.compare(description, (described, seen) =>
      seen.filter((status) => !described.includes(status)));
  }

  private compare(d: Description, differ: (described: string[], seen: string[]) => string[]): string[] {
    return operations(d).flatMap(([route, { operationId, responses }]) =>
      differ(Object.keys(responses), [...(this.seen.get(route) ?? [])])
        .map((status) => `${operationId} ${status}`));
  }
}

/** The operations of the description, by route. */
export function operations(description: Description): [string, Operation][] {
  return Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => operation.operationId !== undefined)
      .map(([method, operation]): [string, Operation] => [`${method.toUpperCase()} ${path}`, operation]));
}
