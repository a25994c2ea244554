import type { IncomingHttpHeaders } from 'node:http';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

/**
 * Whether a page may open a socket here. Browsers let any page try and name its origin, which a page cannot change:
 * taken are the pages that this server serves itself on this machine, and the origins that are named. A program that
 * is no browser names none, and is judged by its credentials alone. A name that was made to point here after its page
 * was loaded (DNS rebinding) is not a name of this machine.
 */
export function isOriginAllowed(
  { origin, host }: Pick<IncomingHttpHeaders, 'origin' | 'host'>,
  origins: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (origins.includes(origin)) return true;
  const from = URL.parse(origin);
  if (!from || host === undefined || !/^https?:$/.test(from.protocol)) return false;
  return from.host.toLowerCase() === host.toLowerCase() && LOOPBACK.test(from.hostname);
}
