import { open, stat, type FileHandle } from 'node:fs/promises';
import { OperatorError } from '../fault.js';
import { joinLine } from './delimited.rules.js';

export interface Reject {
  readonly line: number;
  /** empty where the whole line is at fault */
  readonly column: string;
  readonly reason: string;
  /** as it stands in the input */
  readonly text: string;
}

/** The lines that could not be taken, as CSV; made with the first of them. */
export class RejectsFile {
  readonly path: string;
  private readonly source: string;
  private file: FileHandle | undefined;

  constructor(path: string, source: string) {
    this.path = path;
    this.source = source;
  }

  async write(rejects: readonly Reject[]): Promise<void> {
    if (rejects.length === 0) return;
    try {
      if (this.file === undefined) {
        await this.refuseSource();
        this.file = await open(this.path, 'w');
        await this.file.write('file,line,column,reason,text\n');
      }
      await this.file.write(rejects.map((reject) => this.lineOf(reject)).join(''));
    } catch (error) {
      if (error instanceof OperatorError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      throw new OperatorError(
        `can't write the rejected lines to ${this.path} (${code}): say --rejects FILE`,
        {
          cause: error,
        },
      );
    }
  }

  /** By another name, or over a link, it would be emptied while it is read. */
  private async refuseSource(): Promise<void> {
    const [own, source] = await Promise.all(
      [this.path, this.source].map((path) => stat(path).catch(() => undefined)),
    );
    if (own && source && own.ino === source.ino && own.dev === source.dev && own.isFile()) {
      throw new OperatorError(`--rejects: ${this.path} is the source itself; name another file`);
    }
  }

  async close(): Promise<void> {
    await this.file?.close();
  }

  private lineOf({ line, column, reason, text }: Reject): string {
    return `${joinLine([this.source, String(line), column || null, reason, text], ',')}\n`;
  }
}
