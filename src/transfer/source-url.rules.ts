/** A database of CloudKitty's, as SQLAlchemy spells its address. */
export interface SourceUrl {
  readonly kind: 'mysql' | 'postgresql';
  /** as the driver wants it, password included */
  readonly url: string;
  /** for messages: without user, password and parameters */
  readonly name: string;
}

export const sourceUrlRule =
  'mysql://user:password@host:3306/database, mysql+pymysql://… or postgresql://… (special characters percent-encoded)';

/** Whether it is meant as a URL, readable or not. */
export function looksLikeUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** Undefined for what is none of {@link sourceUrlRule}. */
export function parseSourceUrl(text: string): SourceUrl | undefined {
  const scheme = /^(mysql|mariadb|postgres|postgresql)(?:\+[a-z0-9]+)?:\/\//i.exec(text);
  if (!scheme) return undefined;
  const kind = scheme[1]!.toLowerCase().startsWith('postgres') ? 'postgresql' : 'mysql';
  const url = URL.parse(`${kind}://${text.slice(scheme[0].length)}`);
  if (!url || !/^\/[^/]+$/.test(url.pathname) || !isReadable(url)) return undefined;
  return { kind, url: url.href, name: `${kind}://${url.host}${url.pathname}` };
}

function isReadable({ username, password, hostname, pathname, searchParams }: URL): boolean {
  try {
    for (const part of [username, password, hostname, pathname]) decodeURIComponent(part);
  } catch {
    return false;
  }
  return hostname !== '' || searchParams.has('unix_socket') || searchParams.has('host');
}
