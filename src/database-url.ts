import { quoted } from './fault.js';

/** What is wrong with the URL, told without any part of it that could hold the password. */
export function databaseUrlFault(text: string): string | undefined {
  if (/[\s\p{Cc}]/u.test(text)) return 'a URL with a blank or a line break in it';
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return 'a text that is not a URL';
  if (!['postgresql', 'postgres', 'postgresql+psycopg2'].includes(scheme)) {
    return `a URL with the scheme ${quoted(scheme)}`;
  }
  // An empty host behind a user, `user@/database?host=/run`, is usual for a socket, but no URL for WHATWG.
  const url = URL.parse(text) ?? URL.parse(text.replace('@/', '@socket.invalid/'));
  const parts = url && [url.username, url.password, url.hostname, url.pathname];
  if (!parts?.every(isPercentEncoded) || url?.hash !== '') return 'a URL that can not be read';
  const host = url.hostname === 'socket.invalid' ? '' : url.hostname;
  if (host === '' && !url.searchParams.get('host')) return 'a URL without a host';
  if (host.includes(',')) return 'a URL with several hosts';
  if (!/^\/[^/@]+$/.test(url.pathname)) return 'a URL without the name of one database';
  return undefined;
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
