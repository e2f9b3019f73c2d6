import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { DocumentFile } from '../app.js';
import type { Config } from '../config.js';
import { OperatorError } from '../fault.js';

const shape = z.record(z.string().min(1), z.string());

/** @throws OperatorError with a line for each fault: of the file, or of a document that does not fit the schema */
export async function readTrustedDocuments(path: string, config: Config): Promise<DocumentFile> {
  const about = `--trusted-documents ${JSON.stringify(path)}`;
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new OperatorError(`${about} can't be read: ${(error as Error).message}`);
  }
  const { data } = shape.safeParse(content);
  if (!data || Object.keys(data).length === 0) {
    throw new OperatorError(`${about}: allowed: a JSON object of names, each with the text of a document`);
  }
  const { faultsOfDocuments } = await import('../app.js');
  const faults = await faultsOfDocuments(data, config);
  if (faults.length > 0) throw new OperatorError([`${about}:`, ...faults].join('\n  '));
  return data;
}
