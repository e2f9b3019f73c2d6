// npm run migration:create -- add_something : a new migration, named by its date and by what it does.
import { writeFileSync } from 'node:fs';

const words = process.argv[2] ?? '';
if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)+$/.test(words)) {
  console.error(
    `found ${JSON.stringify(words)}; a migration's name says what it does, such as add_scope_key_and_collector`,
  );
  process.exit(2);
}
const date = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
const className = words.replace(/(^|_)([a-z0-9])/g, (_match, _underscore, letter) => letter.toUpperCase());
const file = `migrations/${date}_${words}.ts`;
writeFileSync(
  file,
  `import { Migration } from '@mikro-orm/migrations';

/** Why the table changes. */
export default class ${className} extends Migration {
  override up(): void {
    this.addSql(\`alter table cloudkitty_storage_states …\`);
  }
}
`,
  { flag: 'wx' },
);
console.log(`${file} is yours to fill in; then: npm run migration:layout`);
