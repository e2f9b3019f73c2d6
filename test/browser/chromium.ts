import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

/** Debian's package; `apt-get install chromium` puts it there. */
const executable = '/usr/bin/chromium';

/** Why no browser test can or should run here; undefined when it shall. */
export function whyNoBrowser(): string | undefined {
  if (Number(process.env['TEST_SCALE'] ?? '0.1') < 1) return 'browser tests belong to npm run test:full';
  if (!existsSync(executable)) return `there is no ${executable}: apt-get install chromium`;
  return undefined;
}

export interface Asked {
  initiator: string;
  url: string;
}

/** A browser with nothing from before, one page in it, and what that page came upon. */
export interface BrowserSeen {
  readonly page: Page;
  /** errors that the page threw or that the console shows */
  readonly errors: string[];
  /** what the Content-Security-Policy refused */
  readonly violations: string[];
  /** addresses that the page and its workers asked for */
  readonly requests: string[];
  /** Ends the browser. @returns what pages asked for, by the browser's own log of the network: who asked, and where */
  close(): Promise<Asked[]>;
}

export async function openBrowser(): Promise<BrowserSeen> {
  const folder = await mkdtemp(join(tmpdir(), 'scopestate-browser-'));
  const networkLog = join(folder, 'network.json');
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: executable,
    viewport: { width: 1280, height: 800 },
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // The browser's own errands (accounts, updates, autofill) find no way out either.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      `--log-net-log=${networkLog}`,
    ],
  });
  const errors: string[] = [];
  const violations: string[] = [];
  const requests: string[] = [];
  context.on('request', (request) => requests.push(request.url()));
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  context.on('weberror', (error) => errors.push(String(error.error())));
  await reportViolations(context, violations);
  let closed: Promise<Asked[]> | undefined;
  const close = async () => {
    await context.close();
    const asked = askedIn(await readFile(networkLog, 'utf8'));
    await rm(folder, { recursive: true, force: true });
    return asked;
  };
  return {
    page: context.pages()[0] ?? (await context.newPage()),
    errors,
    violations,
    requests,
    close: () => (closed ??= close()),
  };
}

async function reportViolations(context: BrowserContext, violations: string[]): Promise<void> {
  await context.exposeFunction('reportViolation', (text: string) => violations.push(text));
  await context.addInitScript(`document.addEventListener('securitypolicyviolation', (event) =>
    reportViolation(event.effectiveDirective + ' ' + event.blockedURI))`);
}

/** Requests that a page's origin began; one that the browser itself began has no origin there. */
function askedIn(log: string): Asked[] {
  const { events } = JSON.parse(log) as { events: { params?: Partial<Asked> }[] };
  return events.flatMap(({ params: { initiator, url } = {} }) =>
    initiator?.startsWith('http') && url !== undefined ? [{ initiator, url }] : [],
  );
}
