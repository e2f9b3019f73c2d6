import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Migration } from '@mikro-orm/migrations';
import type { Constructor } from '@mikro-orm/core';

export interface MigrationFile {
  name: string;
  class: Constructor<Migration>;
}

/** The migrations of a folder in the order of their names, which begin with their date. */
export async function loadMigrations(folder: string): Promise<MigrationFile[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{14}_\w+\.js$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const module = (await import(pathToFileURL(join(folder, file)).href)) as {
        default: Constructor<Migration>;
      };
      return { name: basename(file, '.js'), class: module.default };
    }),
  );
}
