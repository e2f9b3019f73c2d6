import type { Command } from 'commander';

export function addSchemaCommand(program: Command): void {
  program
    .command('schema')
    .description('Print the GraphQL schema (SDL).')
    .action(async () => {
      const { schemaText } = await import('../app.js');
      process.stdout.write(`${await schemaText()}\n`);
    });
}
