import { signal } from '@preact/signals';
import { KEY } from './key';

/** True once the lab did not take this page's session any more: only `kin ui` helps. */
export const closed = signal(false);

const kLogin = 500;
const headers = () => ({ 'X-Kin-Page': localStorage.getItem(KEY) ?? '' });

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** A request to the lab with what proves that it is from this page. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const sent = headers();
  const response = await fetch(path, { ...init, headers: { ...sent, ...init.headers } });
  if (response.ok) return response;
  const text = await response.text();
  const isStranger = response.status === 403 && text.startsWith('only the page');
  if (isStranger) {
    // Another tab may be opening a new link: the cookie comes a moment before the key.
    await new Promise((resolve) => setTimeout(resolve, kLogin));
    if (headers()['X-Kin-Page'] !== sent['X-Kin-Page']) return request(path, init);
  }
  if (response.status === 401 || isStranger) closed.value = true;
  let message = text.trim();
  try {
    message = (JSON.parse(text) as { message?: string }).message ?? message;
  } catch {
    // Not every refusal is JSON; its text is what there is to say.
  }
  throw new ApiError(response.status, message || `HTTP ${response.status}`);
}

export const getJson = async <T>(path: string, init?: RequestInit): Promise<T> =>
  (await (await request(path, init)).json()) as T;
export const getText = async (path: string, init?: RequestInit): Promise<string> =>
  (await request(path, init)).text();

/** Opens a WebSocket: it cannot carry the page's header, so a ticket for it is fetched first. */
export async function openSocket(path: string, protocols: string[] = []): Promise<WebSocket> {
  const { ticket } = await getJson<{ ticket: string }>('/kin/v1/ticket', { method: 'POST' });
  const url = new URL(path, location.href);
  url.protocol = 'ws:';
  url.searchParams.set('ticket', ticket);
  return new WebSocket(url, protocols);
}
