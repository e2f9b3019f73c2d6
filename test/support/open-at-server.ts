import { readFile } from 'node:fs/promises';

/** Whether the server's side of a connection is open, by the kernel's tables. */
export async function isOpenAtServer(url: string, clientPort: number): Promise<boolean> {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
  const [server, client] = [hex(Number(new URL(url).port)), hex(clientPort)];
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')));
  return tables
    .join('\n')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some(
      ([, local, remote, state]) =>
        local?.endsWith(`:${server}`) && remote?.endsWith(`:${client}`) && state === '01',
    );
}
