import type { Command } from 'commander';
import { schemaText } from '../app.js';

export function addSchemaCommand(program: Command): void {
  program
    .command('schema')
    .description('Print the GraphQL schema (SDL).')
    .action(async () => {
      process.stdout.write(`${await schemaText()}\n`);
    });
}
