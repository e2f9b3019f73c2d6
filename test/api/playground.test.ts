import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';

const browserAccept =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8';

const api = useStateApi(() => createTestDatabase());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(new URL(path, api.server.url), { headers });

describe('the page', () => {
  test('is what a browser gets at GET /graphql', async () => {
    const response = await get('/graphql', { accept: browserAccept });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('vary')).toBe('accept');
    expect(await response.text()).toContain('<title>scopestate playground</title>');
  });

  test.each([
    '*/*',
    'application/json',
    'application/json, text/html;q=0.9',
    'application/graphql-response+json',
  ])(
    'is not for whoever accepts %s: that request stays refused as one that may be forged',
    async (accept) => {
      const response = await get('/graphql', { accept });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('CSRF');
    },
  );

  test('does not take the place of the answer to a query, however it is asked for', async () => {
    const query = `/graphql?query=${encodeURIComponent('{ __typename }')}`;
    const headers = { accept: browserAccept, 'apollo-require-preflight': 'true' };
    expect(await (await get(query, headers)).json()).toEqual({ data: { __typename: 'Query' } });
    expect((await get(query, { accept: browserAccept })).status).toBe(400);
  });

  test('and POST with a browser’s headers is a request like any other', async () => {
    const response = await fetch(api.server.url, {
      method: 'POST',
      headers: { accept: browserAccept, 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  });
});

describe('its files', () => {
  let html: string;
  let named: string[];

  beforeAll(async () => {
    html = await (await get('/graphql', { accept: browserAccept })).text();
    named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
  });

  test('are found from the root by a browser, and by nobody else', async () => {
    const response = await fetch(new URL('/', api.server.url), {
      headers: { accept: browserAccept },
      redirect: 'manual',
    });
    expect([response.status, response.headers.get('location')]).toEqual([302, 'graphql']);
    expect((await get('/')).status).toBe(404);
  });

  test('are all of this host, with addresses that survive a prefix', () => {
    expect(named).toHaveLength(3);
    for (const address of named) expect(address).toMatch(/^graphql\/playground\/[\w.-]+$/);
    expect(html).not.toMatch(/(https?:)?\/\//);
  });

  test('are served with the right type', async () => {
    const types = { js: 'application/javascript', css: 'text/css', svg: 'image/svg+xml' };
    for (const address of named) {
      const response = await get(address);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toContain(
        types[address.split('.').at(-1) as keyof typeof types],
      );
      expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
    for (const worker of ['editor', 'json', 'graphql']) {
      expect((await get(`graphql/playground/${worker}.worker.js`)).status).toBe(200);
    }
  });

  test('are sent compressed to whoever takes that', async () => {
    const response = await get('graphql/playground/main.js', { 'accept-encoding': 'gzip' });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.text()).toContain('playground');
  });

  test('fetch no style or font from elsewhere', async () => {
    const folder = 'dist/api/playground/assets';
    for (const file of (await readdir(folder)).filter((name) => name.endsWith('.css'))) {
      const style = await readFile(`${folder}/${file}`, 'utf8');
      expect(style).not.toMatch(/@import|url\(\s*["']?(?!data:|#)/);
    }
  });

  test('are nothing but files: no way leads out of their folder', async () => {
    for (const path of ['nothing.js', '..%2f..%2f..%2fmain.js', '%2e%2e/%2e%2e/playground.js', '']) {
      expect([403, 404]).toContain((await get(`graphql/playground/${path}`)).status);
    }
  });

  test('carry a policy that lets nothing leave this host, as the page does', async () => {
    for (const address of ['graphql', ...named, 'graphql/playground/editor.worker.js']) {
      const { headers } = await get(address, { accept: browserAccept });
      const policy = new Map(
        headers
          .get('content-security-policy')!
          .split('; ')
          .map((directive) => [directive.split(' ', 1)[0]!, directive.split(' ').slice(1)]),
      );
      expect(policy.get('default-src')).toEqual(["'none'"]);
      expect(policy.get('script-src')).toEqual(["'self'"]);
      expect(policy.get('connect-src')).toEqual(["'self'"]);
      expect(policy.get('frame-ancestors')).toEqual(["'none'"]);
      const sources = new Set([...policy.values()].flat());
      expect(sources).toEqual(new Set(["'none'", "'self'", "'unsafe-inline'", 'data:']));
      expect(policy.get('style-src')).toEqual(["'self'", "'unsafe-inline'"]);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });
});
